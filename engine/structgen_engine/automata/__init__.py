"""Automata as arrays: the tables that structgen compiles to, and those whose edges are computed as needed."""
