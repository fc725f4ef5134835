"""From a prompt and a constraint to a value: the step that every verb ends in."""
