"""Compile once, look at the size, check texts, and see what a refusal looks like."""

import structgen as sg
from models import Bill

constraint = sg.compile(Bill)  # over bytes; sg.Vocabulary.from_file("tokenizer.json") compiles for a model
size = constraint.info()
print(f"{size.states} states, {size.classes} classes, {size.edges} edges, at least {size.min_tokens} bytes")

for text in (
    '{"vendor": "Acme Ltd", "invoice_number": "A-7", "date": "2026-03-09", "total": 12.50}',
    '{"vendor": "Acme Ltd", "invoice_number": "A-7", "date": "2026-02-30", "total": 12.50}',
):
    print("accepted" if constraint.accepts(text) else "refused ", text)

try:
    sg.compile({"type": "object", "properties": {"name": {"type": "string"}}, "requierd": ["name"]})
except sg.StructgenError as refusal:
    print(f"{type(refusal).__name__}: {refusal}")
