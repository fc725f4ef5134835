"""Documents without a genre: labelled fields, phrases, lists and tables of any kind, in four languages.

Field names are known ones, paraphrased in the document, or random words; the document's order is not the schema's.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from training import phrases
from training.page import Field, Page
from training.samples import Fragment, Sample, capital, flatten, stacked
from training.values import KINDS, Written, write

STYLES = ["lines"] * 8 + ["sentences"] * 5 + ["commas"] * 2 + ["log"] + ["mail"] * 3 + ["table"]


def make_form(page: Page) -> Sample:
    """Fields, and now and then a nested object, a list of objects and a list of scalars."""
    page.style = page.rng.choice(STYLES)
    asked = _plain_fields(page)
    blocks: list[tuple[str, dict[str, Any], Any, list[Fragment]]] = []
    if page.chance(0.16):
        blocks.append(_group(page))
    if page.chance(0.28):
        blocks.append(_list_of_objects(page))
    if page.chance(0.2):
        blocks.append(_list_of_scalars(page))
    return _assemble(page, asked, blocks)


def _assemble(
    page: Page, fields: list[Field], blocks: list[tuple[str, dict[str, Any], Any, list[Fragment]]]
) -> Sample:
    rng = page.rng
    kinds = Counter(one.kind for one in fields)
    parts: list[Fragment] = []
    members: list[tuple[str, dict[str, Any], Any, bool]] = []
    for one in fields:
        schema, value, required, shown = one.written.schema, one.written.value, True, True
        if one.pointer is not None:
            schema, value, required, shown = _missing(page, one)
            members.append((one.name, schema, value, required))
        if shown:
            parts.append(_fragment(page, one, kinds[one.kind] == 1))
    for name, schema, value, fragments in blocks:
        members.append((name, schema, value, True))
        parts.append(stacked(fragments, "\n"))
    rng.shuffle(parts)
    rng.shuffle(members)
    document, spans = flatten(_document(page, parts))
    first = members[0][0]
    schema = {
        "type": "object",
        "properties": {name: part for name, part, _, _ in members},
        "required": [name for name, _, _, required in members if required],
    }
    value = {
        name: value
        for name, part, value, required in members
        if required or value is not None or _nullable(part) or name == first
    }
    return Sample(schema, document, value, spans)


def _nullable(schema: dict[str, Any]) -> bool:
    return "anyOf" in schema


def _missing(page: Page, one: Field) -> tuple[dict[str, Any], Any, bool, bool]:
    """schema, value, required, shown: what becomes of a field that may be missing from the document."""
    schema, value = one.written.schema, one.written.value
    nullable = {"anyOf": [schema, {"type": "null"}]}
    fate = page.rng.random()
    if fate < 0.06:
        return nullable, None, page.chance(0.5), False
    if fate < 0.15:
        return nullable, value, page.chance(0.5), True
    if fate < 0.18:
        return schema, value, False, True
    if fate < 0.20 and schema == {"type": "string"}:
        return schema, "", True, False
    return schema, value, True, True


def _plain_fields(page: Page) -> list[Field]:
    asked = page.rng.choice([1, 2, 2, 3, 3, 4, 4, 5, 6, 7])
    extra = page.rng.choice([0, 0, 1, 1, 2, 3])
    fields = []
    for index in range(asked + extra):
        kind = page.rng.choice(KINDS)
        if fields and page.chance(0.25):  # a distractor is worth most when it is of the same kind
            kind = page.rng.choice(fields).kind
        fields.append(_field(page, kind, "" if index < asked else None))
    return fields


def _field(
    page: Page, kind: str, parent: str | None, names: dict[str, dict[str, list[str]]] | None = None
) -> Field:
    name, labels = _name(page, names if names is not None else _names_of(kind))
    written = write(kind, name, page.rng, page.pool, page.language)
    return Field(
        name, kind, _label(page, name, labels), written, None if parent is None else f"{parent}/{name}"
    )


def _names_of(kind: str) -> dict[str, dict[str, list[str]]]:
    if kind == "enum":
        return {name: phrases.ENUM_LABELS.get(name, {}) for name in phrases.ENUMS}
    return phrases.NAMES[kind]


def _name(page: Page, names: dict[str, dict[str, list[str]]]) -> tuple[str, dict[str, list[str]]]:
    rng, known = page.rng, page.allowed(list(names), 5)
    for _ in range(8):
        form = rng.random()
        if form < 0.68:
            name = rng.choice(known)
        elif form < 0.84:
            name = rng.choice(page.words)
        else:
            name = f"{rng.choice(page.words)}_{rng.choice(page.words)}"
        if name not in page.used:
            break
    else:
        name = f"{rng.choice(page.words)}_{rng.randint(2, 99)}"
    page.used.add(name)
    if rng.random() < 0.05:  # camelCase
        head, *tail = name.split("_")
        return head + "".join(part.capitalize() for part in tail), names.get(name, {})
    return name, names.get(name, {})


def _label(page: Page, name: str, labels: dict[str, list[str]]) -> str:
    rng = page.rng
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " ").lower()
    known = page.allowed(labels.get(page.language, []), 5) if labels.get(page.language) else []
    if known and rng.random() < (0.6 if page.language == "en" else 0.9):
        return rng.choice(known)
    return rng.choice(
        [spaced, spaced, spaced.capitalize(), spaced.capitalize(), spaced.title(), name, spaced.upper()]
    )


def _fragment(page: Page, one: Field, alone: bool) -> Fragment:
    """A field as the page's style writes it."""
    if one.kind == "bool":
        by_language = phrases.TRUE if one.written.value else phrases.FALSE
        return _expand(page.rng.choice(page.allowed(by_language[page.language], 8)), one)
    if page.style == "log":
        return _expand("{K}={v}", one)
    named = phrases.NAMED.get(one.name, []) if page.language == "en" else []
    loose = phrases.PHRASES.get(one.kind, []) if page.language == "en" else []
    wordy = 0.25 if page.style == "lines" else 0.6
    if named and page.chance(wordy):
        return _expand(page.rng.choice(page.allowed(named, 8)), one)
    known = one.name in _names_of(one.kind)
    if loose and alone and known and page.chance(wordy):
        return _expand(page.rng.choice(page.allowed(loose, 8)), one)
    choices = phrases.LINES if page.style == "lines" else phrases.LABELLED[page.language]
    return _expand(page.rng.choice(page.allowed(choices, 8)), one)


_SLOT = re.compile(r"\{K\}|\{v(?::([^}]*))?\}")


def _expand(template: str, one: Field) -> Fragment:
    fragment: Fragment = []
    at = 0
    for found in _SLOT.finditer(template):
        fragment.append((template[at : found.start()], None))
        at = found.end()
        if found.group() == "{K}":
            fragment.append((one.label, None))
        elif found.group(1) is not None:
            fragment.append((found.group(1).replace("*", one.label), one.pointer))
        else:
            fragment += _cell(one)
    fragment.append((template[at:], None))
    return fragment


def _cell(one: Field) -> Fragment:
    before, after = one.written.around.split("{}")
    return [(before, None), (one.written.surface, one.pointer), (after, None)]


def _group(page: Page) -> tuple[str, dict[str, Any], Any, list[Fragment]]:
    """A nested object: a heading with its fields under it, or one sentence."""
    name, labels = _name(page, phrases.GROUPS)
    heading = _label(page, name, labels)
    outer, page.used = page.used, set()  # members may be named like fields outside
    fields = [_field(page, page.rng.choice(KINDS), f"/{name}") for _ in range(page.rng.randint(2, 4))]
    page.used = outer
    kinds = Counter(one.kind for one in fields)
    parts = [_fragment(page, one, kinds[one.kind] == 1) for one in fields]
    page.rng.shuffle(parts)
    schema = {
        "type": "object",
        "properties": {one.name: one.written.schema for one in fields},
        "required": [one.name for one in fields],
    }
    value = {one.name: one.written.value for one in fields}
    if page.style == "lines":
        indent = page.rng.choice(["", "  "])
        return name, schema, value, [[(f"{heading}:", None)], *([(indent, None), *part] for part in parts)]
    return name, schema, value, [[(f"{heading}: ", None), *stacked(parts, ", ")]]


COLUMNS = {
    "goods": {
        "description": {
            "en": ["Description", "Item"],
            "de": ["Bezeichnung", "Beschreibung"],
            "fr": ["Désignation", "Description"],
            "es": ["Descripción", "Concepto"],
        },
        "item": {"en": ["Item", "Article"]},
        "name": {},
        "product": {"en": ["Product"], "de": ["Produkt"]},
        "article": {},
        "title": {},
        "task": {},
    },
}
ITEM_KINDS = ["goods"] * 6 + ["product"] * 2 + ["person"] * 3 + ["city", "id", "company"]
OTHER_KINDS = (
    ["count"] * 5 + ["money"] * 6 + ["date"] * 2 + ["id", "time", "age", "person", "enum", "city", "measure"]
)
LINE_FORMS = [
    "{count} x {item} @ {money}",
    "{count}x {item} {money}",
    "{item} x{count} {money}",
    "{item} ({count}) {money}",
    "{count} {item} at {money} each",
    "{item}: {count} × {money}",
    "{item}, {count} pcs, {money}",
    "{item}   {count}   {money}",
    "{count} × {item} à {money}",
    "{item} {count} x {money}",
    "{item} - {count} - {money}",
    "{count} of the {item} for {money} apiece",
    "{item}, quantity {count}, {money} each",
    "{item} {money} (x{count})",
]


def _list_of_objects(page: Page) -> tuple[str, dict[str, Any], Any, list[Fragment]]:
    """An array of objects: a table, bullet points or one sentence."""
    name, labels = _name(page, phrases.LISTS)
    rng = page.rng
    count = rng.choice([1, 2, 2, 2, 3, 3, 3, 4, 5, 0])
    kinds = [rng.choice(ITEM_KINDS)]
    if kinds[0] in ("goods", "product") and page.chance(0.65):
        kinds += ["count", "money"]
        kinds = kinds if page.chance(0.75) else kinds[:2]
    else:
        kinds += rng.sample(OTHER_KINDS, rng.randint(0, 3))
    if page.chance(0.25):
        kinds.append("money")
    outer, page.used = page.used, set()
    columns = [_field(page, kind, "", COLUMNS.get(kind)) for kind in kinds]
    page.used = outer
    asked = [len(columns) < 2 or index == 0 or page.chance(0.88) for index, _ in enumerate(columns)]
    rows = [
        [
            _again(page, column, f"/{name}/{row}" if asked[index] else None)
            for index, column in enumerate(columns)
        ]
        for row in range(count)
    ]
    kept = [index for index, wanted in enumerate(asked) if wanted]
    rng.shuffle(kept)
    properties = {columns[index].name: columns[index].written.schema for index in kept}
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": properties, "required": list(properties)},
    }
    value = [{columns[index].name: row[index].written.value for index in kept} for row in rows]
    return name, schema, value, _rows(page, _label(page, name, labels), columns, rows)


def _again(page: Page, column: Field, parent: str | None) -> Field:
    """Another value for a column, with the column's schema."""
    for _ in range(40):
        written = write(column.kind, column.name, page.rng, page.pool, page.language)
        if column.kind == "enum" or written.schema == column.written.schema:
            break
    else:
        written = column.written
    if column.kind == "enum":
        value = page.rng.choice(column.written.schema["enum"])
        written = Written(column.written.schema, value, value.replace("_", " "))
    elif column.kind in ("money", "measure"):
        written = Written(written.schema, written.value, written.surface, column.written.around)
    pointer = None if parent is None else f"{parent}/{column.name}"
    return Field(column.name, column.kind, column.label, written, pointer)


def _rows(page: Page, heading: str, columns: list[Field], rows: list[list[Field]]) -> list[Fragment]:
    rng = page.rng
    if not rows:
        return [[(f"{heading}: {rng.choice(['none', '-', 'n/a'])}", None)]] if page.chance(0.4) else []
    title: list[Fragment] = [[(f"{heading}:", None)]] if page.chance(0.5) else []
    form = rng.random()
    by_kind = {"item" if index == 0 else one.kind: index for index, one in enumerate(columns)}
    if form < 0.4 and len(columns) == 3 and {"item", "count", "money"} <= set(by_kind):
        lines = (
            [_line(rng.choice(page.allowed(LINE_FORMS, 8)), by_kind, row) for row in rows]
            if page.chance(0.2)
            else _same_lines(page, by_kind, rows)
        )
        if page.style not in ("lines", "table", "mail") or page.chance(0.15):
            return [stacked([*title, *lines], rng.choice([", ", "; ", " and "]))]
        bullet = rng.choice(["- ", "* ", "", "", "• "])
        return [*title, *([(bullet, None), *line] for line in lines)]
    order = list(range(len(columns)))
    rng.shuffle(order)
    if form < 0.75:
        separator = rng.choice([" | ", "\t", "   ", "; ", ", ", " / "])
        header: list[Fragment] = [[(separator.join(columns[index].label for index in order), None)]]
        lines = [stacked([_cell(row[index]) for index in order], separator) for row in rows]
        return [*title, *(header if page.chance(0.8) else []), *lines]
    bullet = rng.choice(["- ", "* ", "• ", "# "])
    lines = [
        [(bullet, None), *stacked([_labelled(row[index], index == 0) for index in order], ", ")]
        for row in rows
    ]
    return [*title, *lines]


def _same_lines(page: Page, by_kind: dict[str, int], rows: list[list[Field]]) -> list[Fragment]:
    template = page.rng.choice(page.allowed(LINE_FORMS, 8))
    return [_line(template, by_kind, row) for row in rows]


def _line(template: str, by_kind: dict[str, int], row: list[Field]) -> Fragment:
    fragment: Fragment = []
    for part in re.split(r"(\{\w+\})", template):
        fragment += _cell(row[by_kind[part[1:-1]]]) if part.startswith("{") else [(part, None)]
    return fragment


def _labelled(one: Field, bare: bool) -> Fragment:
    return _cell(one) if bare else [(f"{one.label}: ", None), *_cell(one)]


def _list_of_scalars(page: Page) -> tuple[str, dict[str, Any], Any, list[Fragment]]:
    """An array of strings, numbers or dates: enumerated in a line or as bullet points."""
    rng = page.rng
    name, _ = _name(page, {name: {} for name in phrases.SCALAR_LISTS})
    kind = phrases.SCALAR_LISTS.get(name) or rng.choice(list(phrases.SCALAR_LISTS.values()))
    first = write(kind, name, rng, page.pool, page.language)
    column = Field(name, kind, _label(page, name, {}), first, None)
    count = rng.choice([0, 1, 2, 2, 3, 3, 4, 5])
    cells = [_again(page, column, "") for _ in range(count)]
    cells = [Field(name, kind, one.label, one.written, f"/{name}/{index}") for index, one in enumerate(cells)]
    schema = {"type": "array", "items": first.schema}
    value = [one.written.value for one in cells]
    if not cells:
        return name, schema, value, [[(f"{column.label}: none", None)]] if page.chance(0.4) else []
    if page.style in ("lines", "mail") and page.chance(0.4):
        bullet = rng.choice(["- ", "* ", "• ", "  "])
        return (
            name,
            schema,
            value,
            [[(f"{column.label}:", None)], *([(bullet, None), *_cell(one)] for one in cells)],
        )
    joined = stacked([_cell(one) for one in cells[:-1]], rng.choice([", ", ", ", "; ", " / "]))
    last = {"en": " and ", "de": " und ", "fr": " et ", "es": " y "}[page.language]
    tail = [(last if page.chance(0.5) else ", ", None)] if joined else []
    return (
        name,
        schema,
        value,
        [[(f"{column.label}{rng.choice([': ', ' = ', ' are '])}", None), *joined, *tail, *_cell(cells[-1])]],
    )


def _document(page: Page, parts: list[Fragment]) -> Fragment:
    rng, language = page.rng, page.language
    parts = [part for part in parts if part]
    for _ in range(rng.randint(3, 9) if page.chance(0.05) else page.chance(0.3)):
        parts.insert(rng.randint(0, len(parts)), [(_noise(page), None)])
    if page.style in ("lines", "table"):
        heading: list[Fragment] = (
            [[(rng.choice(phrases.HEADINGS[language]), None)]] if page.chance(0.4) else []
        )
        gap = rng.choice(["\n", "\n", "\n", "\n\n"])
        return stacked([*heading, *parts], gap)
    if page.style == "log":
        return stacked(parts, rng.choice([" ", "; ", " | "]))
    if page.style == "commas":
        return [*stacked(parts, ", "), (".", None)]
    body = [*stacked([capital(part) for part in parts], ". "), (".", None)]
    if page.style == "sentences":
        return body
    start = [(f"{rng.choice(phrases.GREETINGS[language])},\n\n", None)]
    end = f"\n\n{rng.choice(phrases.CLOSINGS[language])}\n{rng.choice(page.pool['person'])}"
    if page.chance(0.4):
        sender = rng.choice(page.pool["email"])
        start.insert(0, (f"From: {sender}\nSubject: {' '.join(rng.choices(page.words, k=3))}\n\n", None))
    return [*start, *body, (end if page.chance(0.7) else "", None)]


def _noise(page: Page) -> str:
    form = page.rng.random()
    if form < 0.45:
        return page.rng.choice(phrases.FILLER)
    if form < 0.7:
        return " ".join(page.rng.choices(page.words, k=page.rng.randint(2, 9)))
    sentences = page.pool[f"sentence_{page.language}"]
    return page.rng.choice(sentences)[:80] if sentences else "---"
