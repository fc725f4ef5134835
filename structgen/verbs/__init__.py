"""The verbs of a model, one module each."""
