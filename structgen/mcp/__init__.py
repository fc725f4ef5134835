"""A server of the Model Context Protocol: an agent calls `extract`, `decide` and `fill` as its tools."""
