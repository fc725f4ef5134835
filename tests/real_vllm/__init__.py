"""vLLM for real: its server with a tiny random DiffusionGemma, asked with OpenAI's client. `make test-vllm` runs it.

Not part of `make test`: it makes an environment of its own of 3.5 GB and starts a server twice.
"""
