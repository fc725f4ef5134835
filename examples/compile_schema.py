"""Compile once, look at the size, check texts, and see what a refusal looks like."""

from models import Line

import structgen as sg

constraint = sg.compile(Line)  # over bytes; sg.Vocabulary.from_file("tokenizer.json") compiles for a model
size = constraint.info()
print(f"{size.states} states, {size.classes} classes, {size.edges} edges, at least {size.min_tokens} bytes")

for text in (
    '{"description": "Desk calendar", "quantity": 3, "unit_price": 12.50}',
    '{"description": "Desk calendar", "quantity": -3, "unit_price": 12.50}',
):
    print("accepted" if constraint.accepts(text) else "refused ", text)

try:
    sg.compile({"type": "array", "items": {"type": "string"}, "uniqueItems": True})
except sg.Unsupported as refusal:
    print(f"{type(refusal).__name__}: {refusal}")
