"""The plugin in SGLang's own Python modules: `make test-sglang` runs these tests in an environment of their own.

SGLang has no build for CPUs without its compiled kernels, so no server runs here. Real are: the plugins' registry, the
compiling of grammars and its manager, the checks of requests, the diffusion algorithms and their loops. Stand-ins take
the place of the model and its runner, of the scheduler around them, and of packages that need a GPU.
"""
