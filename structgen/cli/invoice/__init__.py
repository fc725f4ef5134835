"""The invoice that `structgen demo` reads, and the class it fills."""

from pathlib import Path

from structgen.cli.invoice.models import Invoice, Line

INVOICE_TEXT = (Path(__file__).parent / "invoice.txt").read_text(encoding="utf-8")

__all__ = ["INVOICE_TEXT", "Invoice", "Line"]
