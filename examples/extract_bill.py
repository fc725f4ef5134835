"""A pydantic object out of a document, and what the model thinks of its answer."""

from pathlib import Path

import structgen as sg
from models import Bill

text = (Path(__file__).parent / "documents" / "en_key_value.txt").read_text(encoding="utf-8")
model = sg.load()  # the embedded model: offline, on the CPU; it copies, and knows little else

bill = model.extract(text, Bill)
print(f"{bill.vendor} asks for {bill.total} in bill {bill.invoice_number}")

result = model.extract(text, Bill, details=True, seed=1)
print(result.value.model_dump_json(indent=2))
print(f"{result.steps} steps, log probability {result.log_prob:.1f}")
