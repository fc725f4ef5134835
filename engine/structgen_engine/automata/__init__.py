"""Automata as arrays: the tables that structgen compiles to, and automata whose edges are computed on demand."""
