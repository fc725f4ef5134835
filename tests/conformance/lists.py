"""Generated lists through `extract`: is every item there, and is nothing shortened without a word?

Lists of names and of articles with quantity and price, as marked lines, as tables and as CSV, in four languages, with a
line before and after; and dicts as lines of a name and a number. A list is *silent* if it has fewer items than the
document and neither an error nor a warning says so.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel

from structgen import AnswerWarning, StructgenError
from structgen.model import Model


class Article(BaseModel):
    article: str
    quantity: int
    price: float


class Order(BaseModel):
    articles: list[Article]


class Guests(BaseModel):
    guests: list[str]


class Prices(BaseModel):
    prices: dict[str, float]


class Wording(NamedTuple):
    """The words of a language."""

    heading: str
    columns: tuple[str, str, str]
    after: str
    given: str
    family: str
    things: str
    kinds: str


WORDINGS = {
    "en": Wording(
        "We order as follows:",
        ("Article", "Quantity", "Price"),
        "Please confirm.",
        "Ada Ben Cleo Dana Emil Flora Gina Hugo",
        "Roy Ito Marsh Keller Novak Silva Brandt Malik",
        "bolt nut washer hammer saw drill tape nail screw brush",
        "small large red blue steel brass short long",
    ),
    "de": Wording(
        "Wir bestellen:",
        ("Artikel", "Menge", "Preis"),
        "Mit freundlichen Grüßen",
        "Anna Bernd Clara Dieter Eva Fritz Greta Hans",
        "Vogt Yilmaz Albrecht Hain Jäger Groß Weber Kunz",
        "Schraube Mutter Hammer Säge Bohrer Klebeband Nagel Pinsel Leiter Seil",
        "klein groß rot blau kurz lang rund flach",
    ),
    "fr": Wording(
        "Nous commandons :",
        ("Article", "Quantité", "Prix"),
        "Cordialement",
        "Anne Bruno Chloé Denis Élise Farid Gisèle Henri",
        "Martin Petit Durand Moreau Lefèvre Roux Garnier Faure",
        "vis écrou marteau scie perceuse ruban clou pinceau échelle corde",
        "petit grand rouge bleu court long rond plat",
    ),
    "es": Wording(
        "Pedimos lo siguiente:",
        ("Artículo", "Cantidad", "Precio"),
        "Un saludo",
        "Ana Bruno Clara Diego Elena Fabio Gloria Hugo",
        "Ruiz Soto Vega Mora Núñez Prieto Lara Cano",
        "tornillo tuerca martillo sierra taladro cinta clavo pincel escalera cuerda",
        "pequeño grande rojo azul corto largo redondo plano",
    ),
}
FORMS = ("marked", "table", "csv")


@dataclass(frozen=True)
class Case:
    """A document with a list, and what a perfect reader returns."""

    name: str
    text: str
    spec: type[BaseModel]
    wanted: Any

    @property
    def count(self) -> int:
        return len(self.wanted)


@dataclass
class Tally:
    """What became of the lists of one length, or of the dicts."""

    lists: int = 0
    counted: int = 0
    silent: int = 0
    items: int = 0
    right: int = 0

    def __str__(self) -> str:
        return (
            f"{self.lists} documents: {self.counted / self.lists:.1%} with the right number of items, "
            f"{self.silent} shortened in silence, {self.right / self.items:.1%} of {self.items} items right"
        )


def cases(count: int, each: int, seed: int) -> Iterator[Case]:
    """As many documents with lists of `count` items, in turn of every form, language and kind of item."""
    draw, languages = random.Random(f"{seed} {count}"), list(WORDINGS)
    for number in range(each):
        language = languages[number % len(languages)]
        form = FORMS[number // len(languages) % len(FORMS)]
        names = number // (len(languages) * len(FORMS)) % 2 == 1
        yield (_names if names else _articles)(
            draw, WORDINGS[language], form, count, f"{language} {form} {number}"
        )


def _names(draw: random.Random, say: Wording, form: str, count: int, name: str) -> Case:
    held = [f"{draw.choice(say.given.split())} {draw.choice(say.family.split())}" for _ in range(count)]
    if form == "marked":
        mark = draw.choice("-*•")
        lines = [f"{mark} {one}" for one in held]
    elif form == "table":
        lines = ["| Guests |", "|---|", *(f"| {one} |" for one in held)]
    else:
        lines = ["guests", *held]
    return Case(name, "\n".join(["Guests:", "", *lines, "", say.after]), Guests, held)


def _thing(draw: random.Random, say: Wording) -> str:
    return f"{draw.choice(say.things.split())} {draw.choice(say.kinds.split())}"


def _articles(draw: random.Random, say: Wording, form: str, count: int, name: str) -> Case:
    held = [
        {
            "article": _thing(draw, say),
            "quantity": draw.randint(1, 99),
            "price": draw.randint(100, 9999) / 100,
        }
        for _ in range(count)
    ]
    rows = [(one["article"], str(one["quantity"]), f"{one['price']:.2f}") for one in held]
    if form == "marked":
        lines = [f"- {quantity} x {article}, {price} EUR" for article, quantity, price in rows]
    elif form == "table":
        lines = ["| " + " | ".join(row) + " |" for row in [say.columns, ("---",) * 3, *rows]]
    else:
        lines = [",".join(row) for row in [say.columns, *rows]]
    return Case(name, "\n".join([say.heading, "", *lines, "", say.after]), Order, held)


def dicts(each: int, seed: int) -> Iterator[Case]:
    """Documents with a dict of 2 to 12 prices."""
    draw, languages = random.Random(f"{seed} dicts"), list(WORDINGS)
    for number in range(each):
        say = WORDINGS[languages[number % len(languages)]]
        held = {_thing(draw, say): draw.randint(100, 9999) / 100 for _ in range(draw.randint(2, 12))}
        sign = (": ", " = ", ",", " | ")[number // len(languages) % 4]
        lines = [f"{name}{sign}{price:.2f}" for name, price in held.items()]
        yield Case(f"dict {number}", "\n".join([say.columns[2], "", *lines, "", say.after]), Prices, held)


def judged(model: Model, asked: Iterator[Case]) -> tuple[Tally, list[str]]:
    """The tally of some documents, and a line for each whose number of items is wrong."""
    tally, faults = Tally(), list[str]()
    for case in asked:
        tally.lists += 1
        tally.items += case.count
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                done = model.extract(case.text, case.spec).model_dump(mode="json")
            except StructgenError as error:
                faults.append(f"{case.name}, {case.count} items: {error}")
                continue
        value = next(iter(done.values()))
        tally.counted += len(value) == case.count
        if isinstance(value, dict):
            tally.right += sum(value.get(name) == price for name, price in case.wanted.items())
        else:
            tally.right += sum(one == other for one, other in zip(value, case.wanted, strict=False))
        said = any(isinstance(one.message, AnswerWarning) and one.message.kind == "shortened" for one in told)
        tally.silent += len(value) < case.count and not said
        if len(value) != case.count:
            faults.append(f"{case.name}: {len(value)} items for {case.count}{'' if said else ', in silence'}")
    return tally, faults
