"""What an invoice says."""

import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field


class Line(BaseModel):
    description: str
    quantity: int = Field(ge=0)
    unit_price: Decimal = Field(ge=0)


class Invoice(BaseModel):
    vendor: str
    invoice_number: str
    date: datetime.date
    currency: Literal["EUR", "USD", "GBP", "CHF", "PLN"] | None
    lines: list[Line] = Field(max_length=5)
    total: Decimal = Field(ge=0)
