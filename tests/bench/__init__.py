"""Benchmarks: `python -m bench` prints what docs/benchmarks.md records. Speed is measured here, never in tests."""
