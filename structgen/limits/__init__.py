"""Limits on the time and memory of a compilation, and how its kernels notice that they are used up."""
