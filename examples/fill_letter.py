"""Fill a letter from a mail: the fixed text stays, and every hole gets a value of its type."""

from decimal import Decimal

import structgen as sg

MAIL = "Order of Ada Lovelace: one brass lamp, code QX204. It leaves on 12 March 2026, 12.50 EUR."
LETTER = """\
Order {{code:[A-Z]{2}\\d{3}}}

Your {{item}} ships on {{date:iso-date}} for {{price}} EUR.
"""

model = sg.load()
filled = model.fill(LETTER, MAIL, types={"price": Decimal})
print(filled.text)
print(dict(filled))
