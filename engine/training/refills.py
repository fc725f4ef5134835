"""Other values in the form of a given one: names from pools, dates in the same layout, numbers with as many digits."""

from __future__ import annotations

import datetime
import random
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from training.phrases import MONTHS
from training.pools import COMPANY_FORMS

Pool = Mapping[str, Sequence[str]]
New = tuple[str, Any]  # the text in the document, and the value that is read from it
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_CLOCK = re.compile(r"\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?")
# a clock or a date, of which not all digits are possible
_MOMENT = re.compile(r"\d:\d\d|\d{4}-\d\d-\d\d|\d\d[./]\d\d[./]\d\d")
_CODE = re.compile(r"(?=\w*\d)[A-Z0-9]+")


def refilled(surface: str, value: Any, rng: random.Random, pool: Pool) -> New | None:
    """Another surface and its value; None if the form of this one is not known, so that it must stay."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _number(surface, value, rng)
    if not isinstance(value, str):
        return None
    if _DAY.fullmatch(value):
        return _date(surface, value, rng)
    if _CLOCK.fullmatch(value) and surface != value:
        return None
    return _text(surface, rng, pool) if " ".join(surface.split()) == value else None


def _number(surface: str, value: float, rng: random.Random) -> New | None:
    """Other digits at the same places, if the value is read from all of them."""
    digits = re.sub(r"\D", "", surface)
    exact = Decimal(str(value))
    scale = next((k for k in range(5) if digits and Decimal(int(digits)).scaleb(-k) == abs(exact)), None)
    if scale is None or (scale and isinstance(value, int)) or re.search(r"[²³½¼]", surface):
        return None
    fresh = _digits(digits, rng)
    amount = Decimal(int(fresh)).scaleb(-scale) * (-1 if exact < 0 else 1)
    new = iter(fresh)
    text = re.sub(r"\d", lambda _: next(new), surface)
    return text, int(amount) if isinstance(value, int) else float(amount)


def _digits(digits: str, rng: random.Random) -> str:
    """As many digits; zeros in front stay, and none comes in front."""
    zeros = len(digits) - len(digits.lstrip("0"))
    rest = [str(rng.randint(0 if at else 1, 9)) for at in range(len(digits) - zeros)]
    return "0" * zeros + "".join(rest)


def _date(surface: str, value: str, rng: random.Random) -> New | None:
    """Another day in the same layout, if each number of the surface is its day, month or year and no other."""
    old = datetime.date.fromisoformat(value)
    fresh = datetime.date(old.year + rng.randint(-3, 3), rng.randint(1, 12), rng.randint(1, 28))
    numbers = {"year": (old.year, fresh.year), "day": (old.day, fresh.day), "month": (old.month, fresh.month)}
    groups = re.findall(r"\d+", surface)
    roles = [[role for role, (was, _) in numbers.items() if int(one) in (was, was % 100)] for one in groups]
    known = [role[0] for role in roles if len(role) == 1]
    if len(set(known)) < len(roles) or "day" not in known:
        return None
    if "month" not in known:
        names = next((one for one in MONTHS.values() if one[old.month - 1].lower() in surface.lower()), None)
        if names is None:  # a month in words of another language stays
            fresh = fresh.replace(month=old.month)
        else:
            surface = re.sub(names[old.month - 1], names[fresh.month - 1], surface, flags=re.IGNORECASE)
    if "year" not in known:
        fresh = fresh.replace(year=old.year)
    new = iter(
        f"{numbers[role][1] % 10 ** max(2, len(one)):0{_width(one)}d}"
        for role, one in zip(known, groups, strict=True)
    )
    return re.sub(r"\d+", lambda _: next(new), surface), fresh.isoformat()


def _width(digits: str) -> int:
    """The digits of numbers that are written like this one: a zero in front or two digits of a year stay so."""
    return len(digits) if digits[0] == "0" or len(digits) == 4 else 1


def _text(surface: str, rng: random.Random, pool: Pool) -> New | None:
    """Another text of the same sort."""
    words = surface.split()
    if re.fullmatch(r"[\w.+-]+@[\w.-]+", surface):
        new = rng.choice(pool["email"])
    elif words[-1] in COMPANY_FORMS:
        new = rng.choice(pool["company"])
    elif (
        len(words) in (2, 3)
        and words[0] in set(pool["first_name"])
        and all(word[0].isupper() for word in words)
    ):
        new = rng.choice(pool["person"])
    elif surface in set(pool["city"]):
        new = rng.choice(pool["city"])
    elif _MOMENT.search(surface):
        return None
    elif re.search(r"\d", surface):
        new = _CODE.sub(lambda found: _coded(found[0], rng), surface)
    else:
        return None
    return new, " ".join(new.split())


def _coded(code: str, rng: random.Random) -> str:
    """A code with other digits, and other letters if it has some."""
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
    return "".join(
        str(rng.randint(1 if not at else 0, 9)) if char.isdigit() else rng.choice(letters)
        for at, char in enumerate(code)
    )
