"""From a grammar and a vocabulary to a constraint: an automaton over the model's tokens."""
