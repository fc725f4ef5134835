"""Measures of a server in Prometheus' form; every name begins with `structgen_`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from structgen.server.answering.answer import Outcome

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Measures:
    """The measures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        here = self.registry
        self.requests = Counter("structgen_requests", "Requests answered.", ["path", "status"], registry=here)
        self.seconds = Histogram(
            "structgen_request_seconds",
            "Time to the end of a response.",
            ["path"],
            buckets=SECONDS,
            registry=here,
        )
        self.running = Gauge("structgen_running", "Requests that a worker is answering.", registry=here)
        self.prompt_tokens = Counter("structgen_prompt_tokens", "Tokens of prompts.", registry=here)
        self.tokens = Counter("structgen_generated_tokens", "Tokens of answers.", registry=here)
        self.steps = Counter("structgen_refinement_steps", "Refinement steps.", registry=here)
        self.warnings = Counter("structgen_warnings", "Warnings about values.", ["kind"], registry=here)
        self.disconnects = Counter(
            "structgen_disconnects", "Requests whose client left before the end.", registry=here
        )

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Read a gauge from elsewhere whenever the measures are read."""
        Gauge(f"structgen_{name}", about, registry=self.registry).set_function(value)

    @contextmanager
    def working(self) -> Iterator[None]:
        """While a worker answers a request."""
        self.running.inc()
        try:
            yield
        finally:
            self.running.dec()

    def answered(self, outcome: Outcome) -> None:
        """Count an answer."""
        self.prompt_tokens.inc(outcome.prompt_tokens)
        self.tokens.inc(outcome.tokens)
        if outcome.generation is not None:
            self.steps.inc(outcome.generation.steps)
            for warning in outcome.generation.warnings:
                self.warnings.labels(warning.kind).inc()

    def text(self) -> bytes:
        """All measures as text."""
        return generate_latest(self.registry)
