"""structgen inside other people's generation loops. Each module is imported by whoever uses that library."""
