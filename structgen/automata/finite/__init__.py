"""Finite automata over bytes: written down, determinised, combined and minimised."""
