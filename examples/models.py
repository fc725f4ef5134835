"""What to read from the bills in documents/."""

import datetime
from decimal import Decimal

from pydantic import BaseModel, Field


class Bill(BaseModel):
    vendor: str
    invoice_number: str
    date: datetime.date
    total: Decimal = Field(ge=0)
