"""Documents for tests, written by libraries that structgen does not use, with answers that are known."""
