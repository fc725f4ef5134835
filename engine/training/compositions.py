"""Whole documents of a genre: a form, prose, a mail or a mixture, with lists and nested objects."""

from __future__ import annotations

from dataclasses import replace

from training import phrases
from training.drawing import YES_NO, again, clause, draw, fresh, nullable, told, wish
from training.genres import GENRES, Genre, Role, keys_of
from training.listings import make_listing
from training.page import NAME_SHARE, Field, Page, expand, spaced
from training.samples import Fragment, Member, Sample, capital, object_of, sample_of, stacked
from training.scalars import COUNTS as COUNTS_OF_SCALARS
from training.scalars import joined, labelled, make_many
from training.values import KINDS
from training.wording import parts

LAYOUTS = {"form": 30, "prose": 34, "mixed": 16, "mail": 12, "dense": 8}
CASINGS = {"snake": 78, "camel": 16, "pascal": 3, "kebab": 3}
FORM_LINES = ["{K}: {v}"] * 6 + [
    "{K} {v}", "{K}\t{v}", "{K} = {v}", "{K} - {v}", "| {K} | {v} |", "{K}\n{v}", "* {K}: {v}", "- {K}: {v}",
    "{K};{v}", "**{K}:** {v}", "[{K}] {v}", "{K} .... {v}", "{v} ({K})", "{K} : {v}", "> {K}: {v}", "{K}:{v}",
    "{K} → {v}", "{K},{v}",
]  # fmt: skip
STRANGERS = {
    "en": parts(
        "the {K} is {v} / {K}: {v} / with {K} {v} / {K} {v} / {v} is the {K} / {K} = {v} / its {K} is {v}"
    ),
    "de": parts("{K}: {v} / mit {K} {v} / {K} ist {v} / {K} {v} / als {K} gilt {v}"),
    "fr": parts("{K} : {v} / avec {K} {v} / {K} {v} / {v} comme {K} / {K} = {v}"),
    "es": parts("{K}: {v} / con {K} {v} / {K} {v} / {v} como {K} / {K} = {v}"),
}
JOINTS = {
    "en": [
        ", ",
        " and ",
        "; ",
        ", and ",
        " - ",
        ", while ",
        ", so ",
        ", but ",
        " (by the way) and ",
        "; also, ",
    ],
    "de": [", ", " und ", "; ", " - ", ", außerdem "],
    "fr": [", ", " et ", "; ", " - ", ", de plus "],
    "es": [", ", " y ", "; ", " - ", ", además "],
}
ENGLISH = [genre for genre in GENRES if genre.language == "en"]
FOREIGN = [genre for genre in GENRES if genre.language != "en"]
GROUPS = parts(
    "details info data meta summary general record overview basics main facts content header attributes", " "
)
RECORDS = parts("records entries results items rows documents list found matches cases objects data", " ")
COUNTS = [0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5]
LOOSE_KINDS = [kind for kind in KINDS if kind not in ("bool", "enum")]
Told = tuple[Role, Field]


def weighted(page: Page, weights: dict[str, int]) -> str:
    """A key, as often as its weight says."""
    return page.rng.choices(list(weights), list(weights.values()))[0]


def _genre(page: Page) -> Genre:
    """Any genre; one page in eight is in another language than English."""
    genre = page.rng.choice(FOREIGN if page.chance(0.12) else ENGLISH)
    page.language = genre.language
    return genre


def make_document(page: Page) -> Sample:
    """A document of one genre, with some of its fields asked for."""
    genre = _genre(page)
    page.style, page.casing = weighted(page, LAYOUTS), weighted(page, CASINGS)
    listed = bool(genre.list_names) and page.chance(0.36)
    several = bool(genre.many) and page.chance(0.15 if listed else 0.32)
    found = _fields(
        page, genre, page.rng.choice([1, 2, 3] if listed or several else [2, 3, 4, 4, 5, 5, 6, 7])
    )
    members, shown = _asked(page, found)
    lines: list[Fragment] = []
    enumerated: list[Fragment] = []
    if listed:
        members += _listed(page, genre, lines)
    if several:
        members += _enumerated(page, genre, enumerated)
    if not members:
        return make_document(page)
    page.rng.shuffle(members)
    return sample_of(members, _laid_out(page, genre, shown, lines, enumerated))


def _enumerated(page: Page, genre: Genre, found: list[Fragment]) -> list[Member]:
    """One array of scalars or two; now and then the page shows another one that is not asked for."""
    rng = page.rng
    members = []
    for role in rng.sample(genre.many, min(len(genre.many), rng.choice([1, 1, 1, 2]))):
        many = make_many(page, role, rng.choice([0, *COUNTS_OF_SCALARS]))
        if many is None:
            continue
        if page.chance(0.88):
            members.append(many.member)
        else:
            many = many.unasked()
        if not many.items and page.chance(0.5):
            continue
        if page.style in ("prose", "mixed", "mail", "dense") and many.items and page.chance(0.85):
            before, after = page.phrase(role.clauses).split("{v}")
            found.append([(before, None), *joined(page, many.items), (after, None)])
        else:
            found.append(labelled(page, many))
    return members


def make_records(page: Page) -> Sample:
    """Several records of one kind: all are asked for, or the only one that is complete."""
    genre = _genre(page)
    page.style, page.casing = "form", weighted(page, CASINGS)
    roles = dict(page.rng.sample(sorted(genre.roles.items()), min(len(genre.roles), 4)))
    if page.chance(0.5):
        template = page.phrase(genre.sentences)
        roles = {key: genre.roles[key] for key in keys_of(template)}
    if page.chance(0.25):
        sample = _only_complete(page, roles)
        if sample is not None:
            return sample
    names = page.strictly([*RECORDS, f"{genre.name}s", f"{genre.name}_list"], NAME_SHARE)
    name = page.take(names) or page.coined()
    label = page.rng.choice([spaced(name).capitalize(), page.phrase(genre.headings)])
    sentences = [one for one in genre.sentences if set(keys_of(one)) <= roles.keys()]
    count = page.rng.choice(COUNTS)
    listing = make_listing(page, name, label, roles, sentences, count=count)
    if listing is None:
        return make_document(page)
    extra = _fields(page, replace(genre, roles={k: v for k, v in genre.roles.items() if k not in roles}), 1)
    members, shown = _asked(page, extra if page.chance(0.4) else [])
    members.append(listing.member)
    page.rng.shuffle(members)
    return sample_of(members, _laid_out(page, genre, shown, listing.lines, []))


def _only_complete(page: Page, roles: dict[str, Role]) -> Sample | None:
    """Records in blocks; all but one lack something that is asked for."""
    drawn = [(role, draw(page, role)) for role in roles.values()]
    columns = [one for _, one in drawn if one is not None]
    if len(columns) < 2:
        return None
    count = page.rng.randint(2, 3)
    right = page.rng.randrange(count)
    pair, colon = page.rng.choice(YES_NO), page.rng.choice([": ", " = ", " - "])
    blocks = []
    for index in range(count):
        row = [
            one.under("") if index == right else replace(one, written=again(page, one).written)
            for one in columns
        ]
        if index != right:
            row.pop(page.rng.randrange(len(row)))
        blocks.append(stacked([[(f"{one.label}{colon}", None), *told(one, pair)] for one in row], "\n"))
    members = [Member(one.name, one.written.schema, one.written.value) for one in columns]
    page.rng.shuffle(members)
    return sample_of(members, stacked(blocks, page.rng.choice(["\n\n", "\n---\n"])))


def _fields(page: Page, genre: Genre, count: int) -> list[Told]:
    """About `count` fields, those of a sentence or two among them, and now and then a stranger with a random name."""
    rng = page.rng
    keys: list[str] = []
    for _ in range(rng.choice([0, 1, 1, 2])):
        keys += keys_of(page.phrase(genre.sentences))
    keys = [key for key in dict.fromkeys(keys) if key in genre.roles][: count + 1]
    rest = [key for key in genre.roles if key not in keys]
    keys += rng.sample(rest, min(len(rest), max(0, count - len(keys))))
    found: list[tuple[Role, Field | None]] = [
        (genre.roles[key], draw(page, genre.roles[key])) for key in keys
    ]
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        found.append(_stranger(page))
    return [(role, one) for role, one in found if one is not None]


def _stranger(page: Page) -> Told:
    """A field whose name is a random word, which the page uses as its label."""
    kind = page.rng.choice(LOOSE_KINDS)
    name = page.coined()
    label = page.rng.choice([spaced(name), spaced(name).capitalize(), name])
    return Role(f"*{name}", kind, (name,), ()), Field(name, kind, label, fresh(page, kind, name), None)


def _asked(page: Page, found: list[Told]) -> tuple[list[Member], list[Told]]:
    """What is asked for, some of it in nested objects, and what the page shows."""
    rng = page.rng
    wanted = [one for one in found if page.chance(0.78)]
    shown: list[Told] = [one for one in found if one not in wanted]
    groups: dict[str, list[Told]] = {"": wanted}
    if len(wanted) > 3 and page.chance(0.28):
        cut = rng.randint(1, len(wanted) - 2)
        name = page.take(page.strictly(GROUPS + list(phrases.GROUPS), NAME_SHARE)) or page.coined()
        groups = {"": wanted[:cut], name: wanted[cut:]}
    members: list[Member] = []
    for name, several in groups.items():
        inner = _wishes(page, several, f"/{name}" if name else "", shown)
        if not name:
            members += inner
        elif inner:
            members.append(_nested(page, name, inner, shown))
    return members, shown


def _wishes(page: Page, several: list[Told], parent: str, shown: list[Told]) -> list[Member]:
    members = []
    for role, one in several:
        member, visible = wish(page, one)
        members.append(member)
        if visible:
            shown.append((role, one.under(parent)))
    if members and not any(member.present for member in members):
        members[0] = replace(members[0], present=True, value=None, schema=nullable(members[0].schema))
    return members


def _nested(page: Page, name: str, inner: list[Member], shown: list[Told]) -> Member:
    """One object, or an object in it for the last two members."""
    if len(inner) > 3 and page.chance(0.3) and any(member.present for member in inner[-2:]):
        deep = page.rng.choice(GROUPS)
        moved = {member.name for member in inner[-2:]}
        if deep not in {member.name for member in inner}:
            for index, (role, one) in enumerate(shown):
                if one.pointer in {f"/{name}/{moving}" for moving in moved}:
                    shown[index] = (role, one.under(f"/{name}/{deep}"))
            schema, value = object_of(inner[-2:])
            inner = [*inner[:-2], Member(deep, schema, value)]
    schema, value = object_of(inner)
    return Member(name, schema, value)


def _listed(page: Page, genre: Genre, lines: list[Fragment]) -> list[Member]:
    names = page.strictly(genre.list_names, NAME_SHARE)
    name = page.take(names) or page.coined()
    label = page.rng.choice([*page.allowed(genre.list_labels, NAME_SHARE), spaced(name).capitalize()])
    listing = make_listing(page, name, label, genre.columns, genre.rows, count=page.rng.choice(COUNTS))
    if listing is None:
        return []
    lines += listing.lines
    return [listing.member]


def _laid_out(
    page: Page, genre: Genre, shown: list[Told], lines: list[Fragment], enumerated: list[Fragment]
) -> Fragment:
    rng = page.rng
    rng.shuffle(shown)
    cut = {"form": len(shown), "mixed": len(shown) // 2}.get(page.style, 0)
    form, sentences = _form(page, shown[:cut]), _sentences(page, genre, shown[cut:])
    for one in enumerated:
        block = form if page.style == "form" or any("\n" in text for text, _ in one) else sentences
        block.insert(rng.randint(0, len(block)), one)
    if page.style == "dense":
        return stacked([*sentences, *lines], rng.choice(["; ", ", ", " | ", " / ", "\n"]))
    blocks: list[Fragment] = []
    if page.chance(0.12 if page.style == "mail" else 0.45):
        heading = page.phrase(genre.headings)
        blocks.append(
            [(rng.choice([heading, heading, heading.upper(), f"*** {heading} ***", f"# {heading}"]), None)]
        )
    body: list[Fragment] = [_paragraph(page, sentences)] if sentences else []
    content = [*form, *body]
    if lines:
        listed = stacked(lines, "\n")
        content = [*content, listed] if page.chance(0.7) else [listed, *content]
    blocks += content
    if page.chance(0.25):
        filler = phrases.FILLER if page.language == "en" else page.pool[f"sentence_{page.language}"]
        blocks.insert(rng.randint(0, len(blocks)), [(rng.choice(filler)[:70], None)])
    gap = rng.choice(["\n", "\n", "\n", "\n\n"])
    return _mailed(page, stacked(blocks, gap)) if page.style == "mail" else stacked(blocks, gap)


def _mailed(page: Page, body: Fragment) -> Fragment:
    rng = page.rng
    start = f"{rng.choice(phrases.GREETINGS[page.language])},\n"
    if page.chance(0.35):
        sender = rng.choice(page.pool["email"])
        start = f"From: {sender}\nSubject: {' '.join(rng.choices(page.words, k=2))}\n\n{start}"
    end = f"\n{rng.choice(phrases.CLOSINGS[page.language])}"
    if page.chance(0.6):
        end += f"\n{rng.choice(page.pool['person'])}"
    return [(start, None), *body, (end if page.chance(0.8) else "", None)]


def _form(page: Page, shown: list[Told]) -> list[Fragment]:
    """Labelled lines, all alike."""
    rng = page.rng
    pair, template = rng.choice(YES_NO), page.phrase(FORM_LINES)
    if shown and page.chance(0.12):
        width = max(len(one.label) for _, one in shown) + 2
        fill = rng.choice([" ", " ", "."])
        return [[(f"{one.label} ".ljust(width, fill) + " ", None), *told(one, pair)] for _, one in shown]
    lines = []
    for _, one in shown:
        before, after = template.replace("{K}", one.label).split("{v}")
        lines.append([(before, None), *told(one, pair), (after, None)])
    return lines


def _sentences(page: Page, genre: Genre, shown: list[Told]) -> list[Fragment]:
    """Sentences with several fields where they are all there, clauses for the rest."""
    left = {role.key: (role, one) for role, one in shown}
    found: list[Fragment] = []
    templates = page.allowed(genre.sentences)
    page.rng.shuffle(templates)
    for template in templates:
        keys = set(keys_of(template))
        if keys <= left.keys() and page.chance(0.85):
            found.append(expand(template, {key: left.pop(key)[1] for key in keys}))
    for role, one in left.values():
        loose = clause(page, role, one) if page.chance(0.85) else None
        template = page.phrase(STRANGERS[page.language])
        before, after = template.replace("{K}", one.label).split("{v}")
        found.append(loose or [(before, None), *told(one, page.rng.choice(YES_NO)), (after, None)])
    page.rng.shuffle(found)
    return found


def _paragraph(page: Page, clauses: list[Fragment]) -> Fragment:
    """Clauses as sentences of one or two."""
    sentences: list[Fragment] = []
    while clauses:
        taken = 2 if len(clauses) > 1 and page.chance(0.4) else 1
        joined = stacked(clauses[:taken], page.rng.choice(JOINTS[page.language]))
        sentences.append(capital(joined))
        clauses = clauses[taken:]
    return [*stacked(sentences, page.rng.choice([". ", ". ", ". ", ".\n", "! "])), (".", None)]
