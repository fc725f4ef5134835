"""Automata that call each other: one component for each rule that is used often or inside itself."""
