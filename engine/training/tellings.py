"""Stories told: their slots filled with values, some of which are asked for, flat or in nested objects."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from training.compositions import CASINGS, weighted
from training.drawing import clause, draw, fresh, nullable, unnamed
from training.genres import Role
from training.listings import make_rows, shown_as
from training.page import NAME_SHARE, Field, Page, cell, expand
from training.phrases import NUMERALS
from training.samples import Fragment, Member, Sample, object_of, sample_of
from training.scalars import joined, make_many, pointed
from training.stories import CHOICE, MACRO, MACROS, SLOT, STORIES, Story, Table, slots_of
from training.values import write

ENGLISH = [story for story in STORIES if story.language == "en"]
FOREIGN = [story for story in STORIES if story.language != "en"]
SENTENCE = re.compile(r"(?<=[a-z)}][.!?] )[a-z]")
COUNTS = [1, 2, 2, 2, 3, 3, 3, 4, 4]


@dataclass
class Telling:
    """A story in the making: what is asked for, by group, and what stands in each slot."""

    page: Page
    story: Story
    nested: set[str]
    members: dict[str, list[Member]] = field(default_factory=dict)
    used: dict[str, set[str]] = field(default_factory=dict)  # names by group
    slots: dict[str, Fragment] = field(default_factory=dict)
    fields: dict[str, Field] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def make_story(page: Page) -> Sample:
    """One story, with most of what it tells asked for and now and then something that it does not tell."""
    story = page.rng.choice(FOREIGN if page.chance(0.12) else ENGLISH)
    page.language, page.style, page.casing = story.language, "prose", weighted(page, CASINGS)
    told = Telling(page, story, {group for group in story.groups if page.chance(0.6)})
    text = _worded(page, page.phrase(story.texts))
    wanted = page.rng.choice([0.6, 0.85, 0.95])
    keys = slots_of(text)
    page.rng.shuffle(keys)
    for key in keys:
        _tell(told, key, page.chance(wanted), text)
    for key in page.rng.sample(sorted(story.fields), min(2, len(story.fields))):
        if key not in keys and page.chance(0.4):
            _miss(told, key)
    members = _gathered(told)
    if not members:
        return make_story(page)
    return sample_of(members, _filled(told, text))


def _worded(page: Page, text: str) -> str:
    """The text with one of each of its alternatives, and its greetings and asides written out."""
    text = MACRO.sub(lambda found: page.phrase(MACROS[f"{found.group(1)}_{page.language}"]), text)
    text = CHOICE.sub(lambda found: page.rng.choice(found.group(1).split("|")), text)
    text = re.sub(r" {2,}", " ", text).strip()
    return SENTENCE.sub(lambda found: found.group().upper(), text)


def _tell(told: Telling, key: str, asked: bool, text: str) -> None:
    """Fill the slots of a key."""
    page, story = told.page, told.story
    if key in story.tables:
        _tell_table(told, key, story.tables[key], asked)
    elif key in story.many:
        _tell_many(told, key, asked, points=f"{{{key}/}}" in text)
    else:
        role = story.fields[key]
        one = _drawn(told, key, role)
        if one is None:
            one = unnamed(page, role)
        elif asked:
            group = _group(told, key)
            told.members.setdefault(group, []).append(_kept(page, one))
            one = one.under(f"/{group}" if group else "")
        told.fields[key] = one
        loose = clause(page, role, one) if one.kind == "bool" else None
        told.slots[key] = loose or cell(one)


def _group(told: Telling, key: str) -> str:
    """The nested object that a key belongs to, by the name that it has in the schema."""
    group = key.partition(".")[0] if "." in key else ""
    if group not in told.nested:
        return ""
    page = told.page
    if f"@{group}" not in told.used:
        outer, page.used = page.used, told.used.setdefault("", set())
        names = page.strictly(told.story.groups[group], NAME_SHARE)
        told.used[f"@{group}"] = {page.take(names) or page.coined()}
        page.used = outer
    return next(iter(told.used[f"@{group}"]))


def _drawn(told: Telling, key: str, role: Role) -> Field | None:
    """A field with a name that its object does not have yet; outside its group it bears the group's name too."""
    group, _, leaf = key.rpartition(".")
    page = told.page
    if group and group not in told.nested:
        nouns = told.story.groups[group]
        names = [f"{noun}_{name}" for noun in nouns for name in role.names]
        role = replace(role, names=(*names, *(nouns if leaf == "name" else ())))
    scope = group if group in told.nested else ""
    outer, page.used = page.used, told.used.setdefault(scope, set())
    found = draw(page, role)
    page.used = outer
    return found


def _kept(page: Page, one: Field) -> Member:
    """A field that the page shows: required, optional or nullable."""
    schema, fate = one.written.schema, page.rng.random()
    if fate < 0.08:
        return Member(one.name, nullable(schema), one.written.value, required=page.chance(0.5))
    return Member(one.name, schema, one.written.value, required=fate > 0.15)


def _miss(told: Telling, key: str) -> None:
    """Ask for something that the page does not tell."""
    page = told.page
    one = _drawn(told, key, told.story.fields[key])
    if one is None:
        return
    missing = Member(one.name, nullable(one.written.schema), None, required=page.chance(0.7))
    absent = Member(one.name, one.written.schema, None, required=False, present=False)
    told.members.setdefault(_group(told, key), []).append(missing if page.chance(0.65) else absent)


def _tell_many(told: Telling, key: str, asked: bool, *, points: bool) -> None:
    page, scope = told.page, key.partition(".")[0] if "." in key else ""
    scope = scope if scope in told.nested else ""
    outer, page.used = page.used, told.used.setdefault(scope, set())
    count = page.rng.choice(COUNTS)
    many = make_many(page, told.story.many[key], count)
    page.used = outer
    if many is None:
        role = told.story.many[key]
        items = [cell(unnamed(page, role)) for _ in range(count)]
    elif asked:
        group = _group(told, key)
        told.members.setdefault(group, []).append(many.member)
        items = many.under(f"/{group}" if group else "").items
    else:
        items = many.unasked().items
    told.counts[key] = len(items)
    told.slots[key] = pointed(page, items) if points else joined(page, items)


def _tell_table(told: Telling, key: str, table: Table, asked: bool) -> None:
    page, rng = told.page, told.page.rng
    outer, page.used = page.used, told.used.setdefault("", set())
    name = page.take(page.strictly(table.role.names, NAME_SHARE)) or page.coined()
    page.used = outer
    template = page.phrase(table.rows)
    found = make_rows(page, name, table.columns, template, count=rng.choice(COUNTS))
    if not asked or found.member is None:
        found = found.unasked()
    else:
        told.members.setdefault("", []).append(found.member)
    told.counts[key] = len(found.rows)
    told.slots[key] = joined(page, [expand(template, row) for row in found.rows])
    told.slots[f"{key}/"] = shown_as(page, found, template)


def _gathered(told: Telling) -> list[Member]:
    """The members of the whole answer, nested objects among them, in any order."""
    rng, members = told.page.rng, list(told.members.get("", []))
    for name, inner in told.members.items():
        if name:
            rng.shuffle(inner)
            if not any(member.present for member in inner):
                inner[0] = replace(inner[0], present=True, schema=nullable(inner[0].schema))
            schema, value = object_of(inner)
            members.append(Member(name, schema, value))
    rng.shuffle(members)
    return members if any(member.present and member.value is not None for member in members) else []


def _filled(told: Telling, text: str) -> Fragment:
    """The text with its values; a value that comes again is shown where it comes first."""
    page, fragment, at = told.page, [], 0
    shown: set[str] = set()
    for found in SLOT.finditer(text):
        fragment.append((text[at : found.start()], None))
        at = found.end()
        anonymous, key, mark = found.groups()
        if anonymous:
            fragment += [(fresh(page, key, "").surface, None)]
        elif mark == "~":
            fragment.append((_other(page, told.fields[key]), None))
        elif mark == "#":
            fragment.append((_number(page, told.counts[key]), None))
        elif key in shown:
            fragment += [(part, None) for part, _ in told.slots[key]]
        else:
            shown.add(key)
            fragment += told.slots[f"{key}/" if f"{key}/" in told.slots and mark else key]
    fragment.append((text[at:], None))
    return [part for part in fragment if part[0] or part[1]]


def _other(page: Page, one: Field) -> str:
    """Another value of the same kind: the one before a correction, somebody else's."""
    for _ in range(4):
        written = write(one.kind, one.name, page.rng, page.pool, page.language)
        if written.surface != one.written.surface:
            break
    return one.written.around.replace("{}", written.surface)


def _number(page: Page, count: int) -> str:
    return NUMERALS[page.language][count - 1] if count and page.chance(0.75) else str(count)
