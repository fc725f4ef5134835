"""Loading models by name, and the setup of each family."""
