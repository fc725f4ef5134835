"""Finite automata over bytes: how they are built, determinised, combined and minimised."""
