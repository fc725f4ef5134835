"""A JSON writer that spells each value in a random one of its ways, as other people's writers might."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

SHORT = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "\\": "\\", "/": "/"}


@dataclass(frozen=True)
class Speller:
    """Writes values at random.

    gaps: whether white space may stand between tokens
    doubles: whether integers may be written as doubles of the same value, which JSON Schema takes for integers
    plain: how often a scalar is written as json.dumps does
    """

    rng: random.Random
    gaps: bool = True
    doubles: bool = True
    plain: float = 0.3

    def text(self, value: Any) -> str:
        """Some JSON text of the value."""
        if isinstance(value, dict):
            members = [
                f"{self.text(key)}{self._gap()}:{self._gap()}{self.text(v)}" for key, v in value.items()
            ]
            return "{" + self._joined(members) + "}"
        if isinstance(value, list):
            return "[" + self._joined([self.text(item) for item in value]) + "]"
        if value is None or isinstance(value, bool) or self.rng.random() < self.plain:
            return json.dumps(value, ensure_ascii=self.rng.random() < 0.5)
        return self._string(value) if isinstance(value, str) else self._number(value)

    def _joined(self, parts: list[str]) -> str:
        if not parts:
            return self._gap()
        return self._gap() + f"{self._gap()},{self._gap()}".join(parts) + self._gap()

    def _gap(self) -> str:
        return self.rng.choice(["", "", " ", "\n", "\t  ", "\r\n"]) if self.gaps else ""

    def _string(self, value: str) -> str:
        return '"' + "".join(map(self._char, value)) + '"'

    def _char(self, char: str) -> str:
        units = char.encode("utf-16-be", "surrogatepass").hex()
        escape = "".join(f"\\u{self._cased(units[at : at + 4])}" for at in range(0, len(units), 4))
        ways = [escape]
        if char in SHORT:
            ways.append("\\" + SHORT[char])
        if char >= " " and char not in '"\\':
            ways += [char, char]
        return self.rng.choice(ways)

    def _cased(self, digits: str) -> str:
        return "".join(self.rng.choice([digit, digit.upper()]) for digit in digits)

    def _number(self, value: int | float) -> str:
        if isinstance(value, int) and not (self.doubles and abs(value) <= 2**53):
            return "-0" if value == 0 and self.rng.random() < 0.5 else str(value)
        text = self._shifted(Decimal(repr(value)))
        assert float(text) == value, (text, value)
        return text

    def _shifted(self, value: Decimal) -> str:
        """The value with its point somewhere else and an exponent that makes up for it, or zeros behind the point."""
        by = self.rng.choice([0, 0, 1, 2, -1, -3, 7, -20])
        text = format(value.scaleb(-by), "f")
        zeros = "0" * self.rng.choice([0, 0, 1, 3])
        text = text + zeros if "." in text else text + "." + zeros if zeros else text
        if value == 0 and self.rng.random() < 0.5:
            text = "-" + text.lstrip("-")
        sign = "-" if by < 0 else self.rng.choice(["", "+"])
        exponent = f"{self.rng.choice('eE')}{sign}{'0' * self.rng.choice([0, 0, 1])}{abs(by)}"
        return text + exponent if by or "." not in text or self.rng.random() < 0.3 else text
