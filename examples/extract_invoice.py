"""A pydantic object out of a document, and what the model thinks of its answer."""

from pathlib import Path

from models import Invoice

import structgen as sg

text = (Path(__file__).parent / "invoice.txt").read_text(encoding="utf-8")
model = sg.load()  # the embedded model: offline, on the CPU; it copies, and knows little else

invoice = model.extract(text, Invoice)
print(f"{invoice.vendor} asks for {invoice.total} {invoice.currency or ''} by {len(invoice.lines)} lines")

result = model.extract(text, Invoice, details=True, seed=1)
print(result.value.model_dump_json(indent=2))
print(f"{result.steps} steps, log probability {result.log_prob:.1f}")
