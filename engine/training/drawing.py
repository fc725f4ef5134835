"""Drawing fields for a page: a name from the right side of the split, a label, a value that is not on the page yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from training.genres import Role
from training.page import NAME_SHARE, Field, Page, expand, spaced
from training.samples import Fragment, Member
from training.values import Written, reworded, write
from training.wording import BOOLEANS

YES_NO = [("yes", "no"), ("Yes", "No"), ("true", "false"), ("✓", "✗"), ("Y", "N"), ("x", "-"), ("YES", "NO")]
NULL = {"type": "null"}


def draw(page: Page, role: Role) -> Field | None:
    """A field of a role, without a pointer; None if every name of the role is on the other side of the split."""
    names = page.strictly(role.names, NAME_SHARE)
    name = page.take(names) if names else None
    if name is None:
        return None
    return Field(name, role.kind, _label(page, role, name), fresh(page, role.kind, name), None)


def unnamed(page: Page, role: Role) -> Field:
    """A field that the page shows and nobody asks for."""
    label = page.rng.choice(role.labels) if role.labels else role.key.replace("_", " ")
    return Field("", role.kind, label, fresh(page, role.kind, role.key), None)


def _label(page: Page, role: Role, name: str) -> str:
    rng = page.rng
    if role.labels and rng.random() < (0.75 if page.language == "en" else 0.95):
        label = rng.choice(page.allowed(role.labels, NAME_SHARE))
        return label.lower() if rng.random() < 0.1 else label
    return rng.choice([spaced(name), spaced(name).capitalize(), spaced(name).title(), name])


def fresh(page: Page, kind: str, name: str) -> Written:
    """A value whose text is not on the page yet, as far as a few tries find one."""
    written = write(kind, name, page.rng, page.pool, page.language)
    for _ in range(4):
        if written.surface not in page.shown:
            break
        written = write(kind, name, page.rng, page.pool, page.language)
    page.shown.add(written.surface)
    return written


def again(page: Page, column: Field) -> Field:
    """Another value of a column, with the column's schema."""
    schema, kind = column.written.schema, column.kind
    if kind.startswith("option "):
        written = reworded(column.written, kind.removeprefix("option "), page.rng)
    elif kind == "enum":
        value = page.rng.choice(schema["enum"])
        written = Written(schema, value, value.replace("_", " "))
    else:
        for _ in range(60):
            written = write(kind, column.name, page.rng, page.pool, page.language)
            if written.schema == schema:
                break
        else:
            written = column.written
        if kind.startswith(("money", "thousands", "measure", "percent")):
            written = replace(written, around=column.written.around)
    return replace(column, written=written)


def wish(page: Page, one: Field) -> tuple[Member, bool]:
    """The field as a member of what is asked for, and whether the page shows it."""
    schema, value, fate = one.written.schema, one.written.value, page.rng.random()
    if fate < 0.06:
        return Member(one.name, nullable(schema), None, required=page.chance(0.6)), False
    if fate < 0.10:
        return Member(one.name, schema, None, required=False, present=False), False
    if fate < 0.17:
        return Member(one.name, nullable(schema), value, required=page.chance(0.5)), True
    if fate < 0.23:
        return Member(one.name, schema, value, required=False), True
    return Member(one.name, schema, value), True


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, or null."""
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], NULL]}
    return {"anyOf": [schema, NULL]}


def clause(page: Page, role: Role, one: Field) -> Fragment | None:
    """A clause of the role's own with the field's value, if it has any."""
    if one.kind == "bool":
        template = page.phrase(BOOLEANS[role.key].clauses[one.written.value])
    elif role.clauses:
        template = page.phrase(role.clauses)
    else:
        return None
    return expand(template, {"v": one}, one.label)


def told(one: Field, pair: tuple[str, str]) -> Fragment:
    """The value as a form writes it: a boolean as one of the pair's words."""
    if one.kind == "bool":
        return [(pair[not one.written.value], one.pointer)]
    return expand("{v}", {"v": one})
