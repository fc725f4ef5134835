"""The numeric half of structgen: automata as tables, lattices over blocks, denoisers and the loop that runs them."""
