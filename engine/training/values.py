"""One field's value: its JSON Schema, the value itself, and how a document writes it."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from training.phrases import ENUMS, MONTHS, NUMERALS, WEEKDAYS
from training.pools import code, pseudo
from training.wording import OPTIONS

Pool = dict[str, list[str]]
CURRENCIES = [
    "€ {}",
    "€{}",
    "${}",
    "$ {}",
    "£{}",
    "{} €",
    "{} EUR",
    "EUR {}",
    "{} USD",
    "{} euros",
    "CHF {}",
    "{} PLN",
]
KINDS = (
    ["person"] * 5
    + ["company"] * 4
    + ["city"] * 3
    + ["id"] * 6
    + ["date"] * 6
    + ["time"] * 3
    + ["money"] * 7
    + ["count"] * 5
    + ["product"] * 5
    + ["email"] * 3
    + ["phone"] * 2
    + ["street"] * 2
    + ["country", "color", "job"] * 1
    + ["age"]
    + ["measure"] * 2
    + ["bool"] * 4
    + ["enum"] * 5
    + ["note"] * 2
    + ["weekday"]
    + ["timestamp"]
)


@dataclass(frozen=True)
class Written:
    """A value, the schema that asks for it, its text in a document, and text around it ("€ {}")."""

    schema: dict[str, Any]
    value: Any
    surface: str
    around: str = "{}"


def write(kind: str, name: str, rng: random.Random, pool: Pool, language: str) -> Written:
    """Draw a value of a kind; `name` decides the options of an enum.

    A kind may carry a detail: `count 1-9`, `money 500-2500`, `thousands 30-120`, `measure 36-41`, `option priority`,
    `item skill`.
    """
    head, _, detail = kind.partition(" ")
    if head == "item":
        text = _item(detail, rng, pool, language)
        return Written({"type": "string"}, text, text)
    if detail:
        return _DETAILED[head](detail, rng, language)
    if kind in _WRITERS:
        return _WRITERS[kind](rng, language)
    if kind == "enum":
        return _enum(name, rng)
    text = _text(kind, rng, pool, language)
    schema: dict[str, Any] = {"type": "string"}
    if kind == "email" and rng.random() < 0.4:
        schema["format"] = "email"
    if kind == "id" and rng.random() < 0.06:
        schema = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
        if text.isdigit() and text[0] != "0":
            return Written(schema, int(text), text)
    return Written(schema, text, text)


def _text(kind: str, rng: random.Random, pool: Pool, language: str) -> str:
    if kind == "id":
        return code(rng)
    if kind == "phone":
        return _phone(rng)
    if kind == "weekday":
        return rng.choice(WEEKDAYS[language])
    if kind in _TECHNICAL:
        return _TECHNICAL[kind](rng, pool)
    if kind == "product":
        return _product(rng, pool)
    if kind == "note":
        if rng.random() < 0.5:
            return " ".join(rng.choices(pool["word"], k=rng.randint(2, 6)))
        return rng.choice(pool[f"sentence_{language}"] if language != "en" else pool["dish"])[:60].strip()
    if kind in ("person", "city", "company") and rng.random() < 0.15:
        return pseudo(rng) if kind == "city" else f"{pseudo(rng)} {pseudo(rng)}"
    text = rng.choice(pool[kind])
    if kind in ("person", "company", "city") and rng.random() < 0.04:
        return text.upper()
    return text


def _item(kind: str, rng: random.Random, pool: Pool, language: str) -> str:
    """A skill, an ingredient …; now and then something unheard of, so that it must be read and not remembered."""
    form = rng.random()
    if form < 0.1:
        return pseudo(rng)
    if form < 0.25:
        return " ".join(rng.choices(pool["word"], k=rng.randint(1, 3)))
    known = pool.get(f"item {kind}_{language}", pool[f"item {kind}"])
    return rng.choice(known)


def _product(rng: random.Random, pool: Pool) -> str:
    form = rng.random()
    if form < 0.55:
        return rng.choice(pool["goods"])
    if form < 0.7:
        return rng.choice(pool["dish"])
    return f"{pseudo(rng)} {rng.choice([code(rng), rng.choice(pool['word']), pseudo(rng)])}"


def _phone(rng: random.Random) -> str:
    groups = [str(rng.randint(10, 9999)) for _ in range(rng.randint(2, 3))]
    start = rng.choice([f"+{rng.randint(1, 99)} ", "0", f"({rng.randint(100, 999)}) ", ""])
    return start + rng.choice([" ", "-", " "]).join(groups)


def _date(rng: random.Random, language: str) -> Written:
    year = rng.randint(2019, 2028) if rng.random() < 0.6 else rng.randint(1950, 2035)
    day = datetime.date(year, 1, 1) + datetime.timedelta(days=rng.randint(0, 364))
    surface = day.isoformat() if rng.random() < 0.45 else spell_date(day, rng, language)
    if rng.random() < 0.75:
        return Written({"type": "string", "format": "date"}, day.isoformat(), surface)
    return Written({"type": "string"}, surface, surface)


def spell_date(day: datetime.date, rng: random.Random, language: str) -> str:
    """A date as people write it; with slashes English puts the month first, the others the day."""
    month, number = MONTHS[language][day.month - 1], day.day
    forms = {
        "en": [
            f"{number} {month} {day.year}",
            f"{month} {number}, {day.year}",
            f"{number} {month[:3]} {day.year}",
            f"{month[:3]} {number}, {day.year}",
            day.strftime("%m/%d/%Y"),
            day.strftime("%d.%m.%Y"),
            day.strftime("%Y/%m/%d"),
            f"{number}-{month[:3]}-{day.year}",
        ],
        "de": [day.strftime("%d.%m.%Y"), f"{number}. {month} {day.year}", f"{number}.{day.month}.{day.year}"],
        "fr": [f"{number} {month} {day.year}", day.strftime("%d/%m/%Y")],
        "es": [f"{number} de {month} de {day.year}", day.strftime("%d/%m/%Y")],
    }
    return rng.choice(forms[language])


def _time(rng: random.Random, language: str) -> Written:
    clock = datetime.time(rng.randint(0, 23), rng.choice([0, 15, 30, 45, rng.randint(0, 59)]))
    surface = clock.strftime("%H:%M")
    if language == "en" and rng.random() < 0.25:
        surface = f"{(clock.hour + 11) % 12 + 1}:{clock:%M} {'pm' if clock.hour >= 12 else 'am'}"
    if rng.random() < 0.3:
        return Written({"type": "string", "format": "time"}, clock.strftime("%H:%M:%SZ"), surface)
    return Written({"type": "string"}, surface, surface)


def _timestamp(rng: random.Random, language: str) -> Written:
    moment = datetime.datetime(
        rng.randint(2015, 2030),
        rng.randint(1, 12),
        rng.randint(1, 28),
        rng.randint(0, 23),
        rng.randint(0, 59),
        rng.randint(0, 59),
    )
    surface = rng.choice([f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment:%Y-%m-%d %H:%M:%S}"])
    if rng.random() < 0.5:
        return Written({"type": "string", "format": "date-time"}, f"{moment:%Y-%m-%dT%H:%M:%SZ}", surface)
    return Written({"type": "string"}, surface, surface)


def _money(rng: random.Random, language: str) -> Written:
    whole = rng.random() < 0.25
    cents = rng.randint(1, 10 ** rng.randint(3, 6))
    amount = Decimal(cents // 100 + 1) if whole else Decimal(cents).scaleb(-2)
    if not whole and cents % 10 == 0 and rng.random() < 0.3:
        amount = Decimal(cents // 10).scaleb(-1)
    around = rng.choice(CURRENCIES) if rng.random() < 0.65 else "{}"
    surface = spell_number(amount, rng, language)
    schema = {"type": "integer" if whole and rng.random() < 0.4 else "number"}
    return Written(schema, int(amount) if schema["type"] == "integer" else amount, surface, around)


def spell_number(amount: Decimal, rng: random.Random, language: str) -> str:
    """Digits as a document has them: separators of thousands half of the time, a comma outside English."""
    grouped = rng.random() < 0.5
    text = f"{amount:,}" if grouped else str(amount)
    if language == "en" or rng.random() < 0.15:
        return text
    return text.translate(str.maketrans({",": " " if language == "fr" else ".", ".": ","}))


def _count(rng: random.Random, language: str) -> Written:
    number = rng.randint(0, 10 ** rng.choice([1, 1, 2, 2, 3, 4]))
    surface = spell_number(Decimal(number), rng, language)
    return Written({"type": "integer" if rng.random() < 0.9 else "number"}, number, surface)


def _measure(rng: random.Random, language: str) -> Written:
    amount = Decimal(rng.randint(-30 if rng.random() < 0.1 else 1, 10 ** rng.choice([2, 3, 4]))).scaleb(-1)
    surface = str(amount) if language == "en" else str(amount).replace(".", ",")
    return Written(
        {"type": "number"}, amount, surface, rng.choice(["{}", "{}", "{}", "{}%", "{} kg", "{} cm", "{} s"])
    )


def _age(rng: random.Random, language: str) -> Written:
    number = rng.randint(1, 99)
    return Written({"type": "integer"}, number, str(number))


def _enum(name: str, rng: random.Random) -> Written:
    known = ENUMS.get(name) or rng.choice(list(ENUMS.values()))
    options = known.split()
    options = rng.sample(options, rng.randint(2, min(5, len(options))))
    value = rng.choice(options)
    surface = value.replace("_", " ") if rng.random() < 0.8 else value
    surface = rng.choice([surface, surface, surface.capitalize(), surface.upper()])
    return Written({"type": "string", "enum": options}, value, surface)


def _bool(rng: random.Random, language: str) -> Written:
    return Written({"type": "boolean"}, rng.random() < 0.5, "")


def _bounds(detail: str) -> tuple[int, int]:
    low, _, high = detail.partition("-")
    return int(low), int(high)


def _count_within(detail: str, rng: random.Random, language: str) -> Written:
    low, high = _bounds(detail)
    number = rng.randint(low, high)
    surface = str(number)
    if 2 <= number <= 12 and rng.random() < 0.2:
        surface = NUMERALS[language][number - 1]
    elif number >= 1000 and rng.random() < 0.5:
        surface = f"{number:,}" if language == "en" else f"{number:,}".replace(",", ".")
    form = rng.random()
    if form < 0.90:
        return Written({"type": "integer"}, number, surface)
    if form < 0.96:
        return Written({"type": "number"}, number, surface)
    return Written({"anyOf": [{"type": "integer"}, {"type": "string"}]}, number, surface)


def _money_within(detail: str, rng: random.Random, language: str) -> Written:
    low, high = _bounds(detail)
    whole = rng.random() < 0.4
    amount = Decimal(rng.randint(low, high))
    if not whole:
        amount += Decimal(rng.choice([0, 50, 90, 95, 99, rng.randint(0, 99)])).scaleb(-2)
    around = rng.choice(CURRENCIES) if rng.random() < 0.8 else "{}"
    schema = {"type": "integer" if whole and rng.random() < 0.4 else "number"}
    value = int(amount) if schema["type"] == "integer" else amount
    return Written(schema, value, spell_number(amount, rng, language), around)


def _thousands(detail: str, rng: random.Random, language: str) -> Written:
    low, high = _bounds(detail)
    number = 1000 * rng.randint(low, high)
    around = rng.choice(CURRENCIES)
    schema = {"type": "integer" if rng.random() < 0.5 else "number"}
    if rng.random() < 0.4:
        return Written(schema, number, f"{number // 1000}{rng.choice(['k', 'k', 'K'])}", around)
    return Written(schema, number, spell_number(Decimal(number), rng, language), around)


def _measure_within(detail: str, rng: random.Random, language: str) -> Written:
    bounds, _, unit = detail.partition(" ")
    low, high = _bounds(bounds)
    amount = Decimal(rng.randint(10 * low, 10 * high)).scaleb(-1)
    if rng.random() < 0.35:
        amount = Decimal(int(amount))
    surface = str(amount) if language == "en" else str(amount).replace(".", ",")
    return Written({"type": "number"}, amount, surface, "{} " + unit if unit else "{}")


def _percent(detail: str, rng: random.Random, language: str) -> Written:
    written = _measure_within(detail, rng, language)
    return Written(written.schema, written.value, written.surface, rng.choice(["{}%", "{} %", "{} percent"]))


def _option(detail: str, rng: random.Random, language: str) -> Written:
    known = OPTIONS[detail]
    chosen = rng.sample(list(known), rng.randint(2, min(5, len(known))))
    value = rng.choice(chosen)
    spell = rng.choice(_SPELLINGS)
    return Written(
        {"type": "string", "enum": [spell(one) for one in chosen]}, spell(value), rng.choice(known[value])
    )


_SPELLINGS = [str, str, str, str.upper, str.capitalize, lambda option: option.replace("_", "-")]


def reworded(written: Written, detail: str, rng: random.Random) -> Written:
    """Another option of the same enum."""
    options = written.schema["enum"]
    keys = {_bare(option): option for option in options}
    known = OPTIONS[detail]
    choices = [key for key in known if _bare(key) in keys]
    key = rng.choice(choices)
    return Written(written.schema, keys[_bare(key)], rng.choice(known[key]))


def _bare(option: str) -> str:
    return option.replace("-", "_").lower()


_DETAILED = {
    "count": _count_within,
    "money": _money_within,
    "thousands": _thousands,
    "measure": _measure_within,
    "percent": _percent,
    "option": _option,
}


def _username(rng: random.Random, pool: Pool) -> str:
    name = f"{rng.choice(pool['first_name'])}{rng.choice(['', '.', '_'])}{rng.choice(pool['word'])}"
    return name.lower().replace(" ", "")


def _filename(rng: random.Random, pool: Pool) -> str:
    ending = rng.choice(["pdf", "docx", "csv", "png", "txt", "xlsx"])
    return f"{rng.choice(pool['word'])}{rng.choice(['', '_final', '-2', '_v3'])}.{ending}"


def _amount(rng: random.Random, pool: Pool) -> str:
    number = rng.choice([1, 2, 5, 10, 20, 50, 100, 200, 250, 400, 500, 800, 1000])
    return f"{number} {rng.choice(['mg', 'ml', 'g', 'mcg', 'tablets', 'drops'])}"


_TECHNICAL = {
    "ip": lambda rng, pool: ".".join(str(rng.randint(1, 254)) for _ in range(4)),
    "version": lambda rng, pool: (
        f"{rng.randint(0, 12)}.{rng.randint(0, 20)}" + rng.choice(["", f".{rng.randint(0, 9)}"])
    ),
    "path": lambda rng, pool: "/" + "/".join(rng.choices(pool["word"], k=rng.randint(1, 3))),
    "service": lambda rng, pool: (
        f"{rng.choice(pool['word'])}-{rng.choice(['api', 'service', 'worker', 'db', 'gateway'])}"
    ),
    "username": _username,
    "amount": _amount,
    "dimensions": lambda rng, pool: (
        f"{rng.randint(5, 250)} x {rng.randint(5, 250)} x {rng.randint(2, 120)} cm"
    ),
    "language": lambda rng, pool: rng.choice(pool["language"]),
    "filename": _filename,
    "plate": lambda rng, pool: f"{''.join(rng.choices('ABCDEFGHKLMNPRSTW', k=2))} {rng.randint(10, 9999)}",
    "seat": lambda rng, pool: f"{rng.randint(1, 42)}{rng.choice('ABCDEF')}",
}
_WRITERS = {
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "money": _money,
    "count": _count,
    "measure": _measure,
    "age": _age,
    "bool": _bool,
}
