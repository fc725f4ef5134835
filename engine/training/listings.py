"""Arrays of objects on a page: tables, bullet points, blocks, or rows worded by a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from training.drawing import YES_NO, again, draw, nullable, told, unnamed
from training.genres import Role, keys_of
from training.page import Field, Page, cell, expand
from training.samples import Fragment, Member, stacked

SEPARATORS = [" | ", "\t", "   ", "; ", ", ", " / ", ",", ";", " - "]
BULLETS = ["- ", "* ", "• ", "", "", "", "# "]
BETWEEN = ["\n\n", "\n---\n", "\n", "\n\n", "\n***\n"]
NOTHING = ["none", "-", "n/a", "no entries", "(empty)", "nothing"]
TOTALS = ["Total", "TOTAL", "Sum", "Subtotal", "Total due", "All in all"]
Row = list[Field]


@dataclass(frozen=True)
class Listing:
    """The member that asks for the array, and the lines that show it."""

    member: Member
    lines: list[Fragment]


@dataclass(frozen=True)
class Rows:
    """An array of objects before it is laid out; `member` is None if no prompt can ask for any part of it."""

    member: Member | None
    columns: dict[str, Field]
    rows: list[dict[str, Field]]

    def unasked(self) -> Rows:
        """The same rows as distractors."""
        rows = [{key: replace(one, pointer=None) for key, one in row.items()} for row in self.rows]
        return Rows(None, self.columns, rows)


def make_listing(
    page: Page,
    name: str,
    label: str,
    roles: dict[str, Role],
    templates: Sequence[str],
    *,
    count: int,
) -> Listing | None:
    """`count` objects with some of the roles; None if the split has no name for any of them."""
    template = page.phrase(templates) if templates and page.chance(0.5) else None
    found = make_rows(page, name, roles, template, count=count)
    if found.member is None:
        return None
    return Listing(found.member, _lines(page, label, found.columns, found.rows, template))


def make_rows(page: Page, name: str, roles: dict[str, Role], template: str | None, *, count: int) -> Rows:
    """`count` objects with the roles of a template, or with some roles where there is none."""
    keys = list(dict.fromkeys(keys_of(template))) if template else _some(page, roles)
    outer, page.used = page.used, set()
    drawn = {key: draw(page, roles[key]) for key in keys}
    page.used = outer
    named = [key for key, one in drawn.items() if one is not None]
    columns = {key: one or unnamed(page, roles[key]) for key, one in drawn.items() if one or template}
    asked = [key for index, key in enumerate(named) if index == 0 or page.chance(0.88)]
    page.rng.shuffle(asked)
    gaps = {key for key in asked[1:] if template is None and page.chance(0.08)}
    rows = [_row(page, columns, asked, gaps, f"/{name}/{index}") for index in range(count)]
    if not asked:
        return Rows(None, columns, rows)
    properties = {
        columns[key].name: nullable(columns[key].written.schema)
        if key in gaps
        else columns[key].written.schema
        for key in asked
    }
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": properties, "required": list(properties)},
    }
    value = [{columns[key].name: row[key].written.value for key in asked} for row in rows]
    return Rows(Member(name, schema, value), columns, rows)


def shown_as(page: Page, found: Rows, template: str) -> Fragment:
    """The rows as lines: worded by the template, or as a table."""
    if page.chance(0.4):
        bullet = page.rng.choice(BULLETS)
        lines = [[(bullet, None), *expand(template, row)] for row in found.rows]
        return stacked(lines, "\n")
    keys = list(found.columns)
    if page.chance(0.5):
        page.rng.shuffle(keys)
    fields, rows = [found.columns[key] for key in keys], [[row[key] for key in keys] for row in found.rows]
    layout = _aligned if page.chance(0.55) else _separated
    return stacked(layout(page, fields, rows), "\n")


def _some(page: Page, roles: dict[str, Role]) -> list[str]:
    first, *rest = [key for key, role in roles.items() if role.kind != "bool" or page.chance(0.5)]
    return [first, *page.rng.sample(rest, min(len(rest), page.rng.choice([0, 1, 1, 2, 2, 3])))]


def _row(
    page: Page, columns: dict[str, Field], asked: list[str], gaps: set[str], at: str
) -> dict[str, Field]:
    row = {}
    for key, column in columns.items():
        one = again(page, column)
        if key in gaps and page.chance(0.35):
            one = replace(one, kind="gap", written=replace(one.written, value=None))
        row[key] = one.under(at) if key in asked else one
    return row


def _lines(
    page: Page, label: str, columns: dict[str, Field], rows: list[dict[str, Field]], template: str | None
) -> list[Fragment]:
    if not rows:
        return [[(f"{label}: {page.rng.choice(NOTHING)}", None)]] if page.chance(0.5) else []
    title: list[Fragment] = [[(f"{label}:", None)]] if page.chance(0.55) else []
    if template is not None:
        return _worded(page, label, title, rows, template)
    keys = list(columns)
    page.rng.shuffle(keys)
    fields, ordered = [columns[key] for key in keys], [[row[key] for key in keys] for row in rows]
    form = page.rng.random()
    if form < 0.3:
        return [*title, *_aligned(page, fields, ordered)]
    if form < 0.62:
        return [*title, *_separated(page, fields, ordered)]
    if form < 0.82:
        return [*title, *_bullets(page, ordered)]
    return [*title, _blocks(page, ordered)]


def _worded(
    page: Page, label: str, title: list[Fragment], rows: list[dict[str, Field]], template: str
) -> list[Fragment]:
    rng = page.rng
    lines = [expand(template, row) for row in rows]
    form = rng.random()
    if form < 0.3:
        last = rng.choice([", ", " and ", ", and "])
        separator = rng.choice(["; ", ", ", " / ", ". "])
        joined = stacked(lines[:-1], separator) + ([(last, None)] if len(lines) > 1 else []) + lines[-1]
        opening = rng.choice([f"{label}: ", f"{label.lower()}: ", "", f"The {label.lower()}: "])
        return [[(opening, None), *joined]]
    if form < 0.45:
        end = rng.choice([".", ")", ":", " -"])
        return [*title, *([(f"{index}{end} ", None), *line] for index, line in enumerate(lines, 1))]
    bullet = rng.choice(BULLETS)
    return [*title, *([(bullet, None), *line] for line in lines)]


def _cell(page: Page, one: Field, pair: tuple[str, str]) -> Fragment:
    if one.kind == "gap":
        return [(page.rng.choice(["-", "-", "n/a", "?", "—"]), None)]
    return told(one, pair)


def _separated(page: Page, columns: list[Field], rows: list[Row]) -> list[Fragment]:
    separator = page.rng.choice(SEPARATORS)
    piped = separator == " | " and page.chance(0.5)
    table = _table(page, columns, rows, headed=0.85)
    lines = [stacked(cells, separator) for cells in table]
    if not piped:
        return lines
    framed: list[Fragment] = [[("| ", None), *line, (" |", None)] for line in lines]
    if page.chance(0.3):
        framed.insert(1, [("|" + "---|" * len(table[0]), None)])
    return framed


def _table(page: Page, columns: list[Field], rows: list[Row], *, headed: float) -> list[list[Fragment]]:
    """Cells by line: a header, the rows, now and then their numbers and a line of totals."""
    rng, pair = page.rng, page.rng.choice(YES_NO)
    table = [[_cell(page, one, pair) for one in row] for row in rows]
    spell = rng.choice([str, str, str, str.upper, str.lower])
    if page.chance(headed):
        table.insert(0, [[(spell(one.label), None)] for one in columns])
    if page.chance(0.12):
        for index, line in enumerate(table, 1 - (len(table) > len(rows))):
            line.insert(0, [(str(index) if index else rng.choice(["#", "No.", "Pos."]), None)])
    sums = [index for index, one in enumerate(columns) if one.kind.startswith(("money", "count"))]
    if sums and len(columns) > 1 and page.chance(0.25):
        table.append(_totals(page, columns, set(sums), len(table[0])))
    return table


def _totals(page: Page, columns: list[Field], sums: set[int], width: int) -> list[Fragment]:
    """A line that looks like a row and is none."""
    line: list[Fragment] = [[("", None)] for _ in range(width)]
    shift = width - len(columns)
    for index in sums:
        line[index + shift] = cell(again(page, replace(columns[index], pointer=None)))
    free = next((index for index, fragment in enumerate(line) if fragment == [("", None)]), None)
    if free is not None:
        line[free] = [(page.rng.choice(TOTALS), None)]
    return line


def _aligned(page: Page, columns: list[Field], rows: list[Row]) -> list[Fragment]:
    """Columns as wide as their widest cell, two spaces apart; numbers to the right on some pages."""
    table = _table(page, columns, rows, headed=0.9)
    lengths = [[sum(len(text) for text, _ in one) for one in line] for line in table]
    widths = [max(column) for column in zip(*lengths, strict=True)]
    shift, ranged = len(table[0]) - len(columns), page.chance(0.3)
    right = [ranged and index >= shift and _numeric(columns[index - shift]) for index in range(len(widths))]
    gap = page.rng.choice(["  ", "  ", "   "])
    lines: list[Fragment] = []
    for line, sizes in zip(table, lengths, strict=True):
        fragment: Fragment = []
        for one, size, width, pushed in zip(line, sizes, widths, right, strict=True):
            blank: Fragment = [(" " * (width - size), None)]
            fragment += [*blank, *one, (gap, None)] if pushed else [*one, *blank, (gap, None)]
        while fragment and not fragment[-1][0].strip() and fragment[-1][1] is None:
            fragment.pop()
        lines.append([part for part in fragment if part[0] or part[1]])
    if len(table) > len(rows) and page.chance(0.25):
        lines.insert(1, [(page.rng.choice("-=") * (sum(widths) + len(gap) * (len(widths) - 1)), None)])
    return lines


def _numeric(column: Field) -> bool:
    return column.kind.startswith(("money", "count", "measure", "thousands", "percent"))


def _bullets(page: Page, rows: list[Row]) -> list[Fragment]:
    bullet, colon = page.rng.choice(BULLETS[:4]), page.rng.choice([": ", "=", " "])
    separator, pair = page.rng.choice([", ", "; ", " | "]), page.rng.choice(YES_NO)
    bare = page.chance(0.5)
    lines: list[Fragment] = []
    for row in rows:
        cells = [
            told(one, pair) if bare and index == 0 else [(f"{one.label}{colon}", None), *told(one, pair)]
            for index, one in enumerate(row)
            if one.kind != "gap"
        ]
        lines.append([(bullet, None), *stacked(cells, separator)])
    return lines


def _blocks(page: Page, rows: list[Row]) -> Fragment:
    colon, pair = page.rng.choice([": ", ": ", " = ", "\t"]), page.rng.choice(YES_NO)
    blocks = [
        stacked([[(f"{one.label}{colon}", None), *told(one, pair)] for one in row if one.kind != "gap"], "\n")
        for row in rows
    ]
    return stacked(blocks, page.rng.choice(BETWEEN))
