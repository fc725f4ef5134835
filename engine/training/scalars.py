"""Arrays of scalars on a page: enumerated in a sentence, in a labelled line, or as bullet points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from training.drawing import again, draw
from training.genres import Role
from training.page import Field, Page, cell
from training.samples import Fragment, Member, stacked

AND = {
    "en": [" and ", " and ", ", and ", " & ", " plus ", " as well as "],
    "de": [" und ", " und ", " sowie "],
    "fr": [" et ", " et ", " ainsi que "],
    "es": [" y ", " y ", " así como "],
}
LISTED = ["{K}: {v}"] * 5 + ["{K} = {v}", "{K} - {v}", "{K}: [{v}]", "{K} ({v})", "{K}\t{v}", "**{K}:** {v}"]
POINTS = ["- ", "* ", "• ", "  ", "– ", "", "+ ", "[ ] "]
EMPTY = ["none", "-", "n/a", "nothing", "none listed"]
COUNTS = [1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5]


@dataclass(frozen=True)
class Many:
    """An array of scalars that a page shows: the member that asks for it, its label and its items."""

    member: Member
    label: str
    items: list[Fragment]

    def under(self, parent: str) -> Many:
        """The same items, asked for inside the object at `parent`."""
        items = [
            [(text, None if at is None else f"{parent}{at}") for text, at in item] for item in self.items
        ]
        return replace(self, items=items)

    def unasked(self) -> Many:
        """The same items as a distractor."""
        return replace(self, items=[[(text, None) for text, _ in item] for item in self.items])


def make_many(page: Page, role: Role, count: int) -> Many | None:
    """`count` different values of a role; None if the split has no name for it."""
    column = draw(page, role)
    return None if column is None else many_of(page, column, count)


def many_of(page: Page, column: Field, count: int) -> Many:
    """`count` different values of a column."""
    fields = _different(page, column, count)
    schema: dict[str, Any] = {"type": "array", "items": column.written.schema}
    member = Member(column.name, schema, [one.written.value for one in fields])
    items = [
        cell(replace(one, pointer=f"/{column.name}/{index}", name=str(index)))
        for index, one in enumerate(fields)
    ]
    return Many(member, column.label, items)


def _different(page: Page, column: Field, count: int) -> list[Field]:
    found = {column.written.surface: column} if count else {}
    for _ in range(4 * count):
        if len(found) >= count:
            break
        one = again(page, column)
        found.setdefault(one.written.surface, one)
    return list(found.values())


def joined(page: Page, items: list[Fragment]) -> Fragment:
    """a, b and c; now and then a, b, c or a / b / c."""
    rng = page.rng
    if len(items) < 2:
        return items[0] if items else []
    separator = rng.choice([", ", ", ", ", ", ", ", "; ", " / "])
    if page.chance(0.25):
        return stacked(items, separator)
    last = rng.choice(AND[page.language])
    if separator == ", " and page.language == "en" and len(items) > 2 and page.chance(0.25):
        last = ", and "
    return [*stacked(items[:-1], ", "), (last, None), *items[-1]]


def pointed(page: Page, items: list[Fragment]) -> Fragment:
    """One item a line."""
    point = page.rng.choice(POINTS)
    if page.chance(0.12):
        end = page.rng.choice([". ", ") "])
        return stacked([[(f"{index}{end}", None), *item] for index, item in enumerate(items, 1)], "\n")
    return stacked([[(point, None), *item] for item in items], "\n")


def labelled(page: Page, many: Many) -> Fragment:
    """The label and the items, in one line or in several."""
    rng = page.rng
    if not many.items:
        return [(f"{many.label}: {rng.choice(EMPTY)}", None)]
    if page.style in ("form", "mixed", "mail") and page.chance(0.35):
        return [(f"{many.label}:\n", None), *pointed(page, many.items)]
    before, after = page.phrase(LISTED).replace("{K}", many.label).split("{v}")
    separator = rng.choice([", ", ", ", "; ", " / ", " | ", " · ", ","])
    body = stacked(many.items, separator) if page.chance(0.7) else joined(page, many.items)
    return [(before, None), *body, (after, None)]
