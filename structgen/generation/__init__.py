"""Generating a value from a prompt and a constraint, the last step of every verb."""
