"""What a model can be asked for: one module for each verb."""
