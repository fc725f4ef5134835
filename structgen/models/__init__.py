"""Models by name: what `load` finds, and how each family is set up."""
