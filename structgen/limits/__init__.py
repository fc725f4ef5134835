"""How much computing and memory a compilation may take, and how its kernels learn that it is used up."""
