"""What breaks on the newest releases of what structgen stands on."""
