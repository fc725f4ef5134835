"""The library's grammars against other people's parsers: texts drawn from our automata that the judge must accept.

The texts are joint draws from the automaton over a real vocabulary, under logits that prefer nothing: normal noise,
with short tokens favoured in every other block, because most tokens are long words, which mostly fit inside strings.
"""

from __future__ import annotations

import ast
import csv
import io
import ipaddress
import json
import re
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import torch

import structgen as sg
from conformance import mermaid
from structgen.sources.library import library
from structgen_engine.automata.dfa import Dfa, block
from structgen_engine.lattice.beam import Beam
from structgen_engine.lattice.lattice import BlockLattice

DRAWS = 10  # texts from one block
LONGER = 40  # tokens that a block may have beyond the fewest
NOISE = 2.0  # nats, scale of the logits
SHORTER = 2.0  # nats, for each byte of a token, in every other block


@dataclass(frozen=True)
class Judge:
    """Somebody else's reader of texts; reads: raises or returns False if it refuses a text"""

    package: str
    reads: Callable[[str], Any]


def texts(constraint: sg.Constraint[Any], count: int, seed: int = 0) -> Iterator[str]:
    """Texts drawn from the automaton."""
    vocabulary, random = constraint.vocabulary, torch.Generator().manual_seed(seed)
    sizes = torch.tensor([len(vocabulary.spelling(token)) for token in range(vocabulary.size)])
    for number in range(-(-count // DRAWS)):
        length = constraint.min_tokens + int(torch.randint(LONGER, (1,), generator=random))
        logits = NOISE * torch.randn(1, length, vocabulary.size, generator=random)
        lattice = _lattice(constraint.automaton, logits - SHORTER * sizes * (number % 2))
        for _ in range(min(DRAWS, count - number * DRAWS)):
            yield vocabulary.decode(lattice.sample(random)[0].tolist()).decode()


def _lattice(automaton: Any, logits: torch.Tensor) -> BlockLattice:
    if isinstance(automaton, Dfa):
        return BlockLattice(block(automaton), logits)
    return BlockLattice([Beam(automaton, automaton.start, 0).explore(logits[0])], logits)


@dataclass(frozen=True)
class Judged:
    """The texts drawn from one grammar and those that its judge refuses, each with the reason."""

    count: int
    refused: tuple[tuple[str, str], ...]


def judged(name: str, vocabulary: sg.Vocabulary, count: int, seed: int = 0) -> Judged:
    """`count` texts of one grammar of the library, by its judge."""
    judge, refused = judges()[name], []
    for text in texts(sg.compile(library[name], vocabulary), count, seed):
        reason = verdict(judge.reads, text)
        if reason is not None:
            refused.append((text, reason))
    return Judged(count, tuple(refused))


def verdict(reads: Callable[[str], Any], text: str) -> str | None:
    """Why the judge refuses a text; None if it accepts it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return "it says False" if reads(text) is False else None
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def judges() -> dict[str, Judge]:
    """The judge of each grammar. Raises ImportError where one is not installed: see judges.txt."""
    import croniter
    import email_validator
    import graphql
    import isodate
    import partialsmiles
    import pydot
    import rfc3986_validator
    import rfc3987_syntax
    import semver
    import sqlglot
    import tomlkit
    from stdnum import iban

    def parsed(text: str) -> Any:
        return ast.parse(text, mode="eval")

    def molecule(text: str) -> Any:
        return partialsmiles.ParseSmiles(text, partial=False)

    def addressed(text: str) -> Any:
        return email_validator.validate_email(text, check_deliverability=False)

    def located(text: str) -> bool:
        known = "//[" in text or rfc3987_syntax.is_valid_syntax("iri", text)  # it reads no IPv6 address
        return known and bool(rfc3986_validator.validate_rfc3986(text, rule="URI"))

    return {
        "arithmetic": Judge("ast", parsed),
        "cron": Judge("croniter", croniter.croniter.is_valid),
        "csv-row": Judge("csv", _is_one_record),
        "dot": Judge("pydot", lambda text: bool(pydot.graph_from_dot_data(text))),
        "email": Judge("email-validator", addressed),
        "graphql-query": Judge("graphql-core", graphql.parse),
        "iban": Judge("python-stdnum", lambda text: iban.is_valid(text, check_country=False)),
        "iban-unchecked": Judge("python-stdnum", _has_the_form_of_an_iban),
        "ipv4": Judge("ipaddress", ipaddress.IPv4Address),
        "ipv6": Judge("ipaddress", ipaddress.IPv6Address),
        "iso-date": Judge("datetime", date.fromisoformat),
        "iso-datetime": Judge("isodate", isodate.parse_datetime),
        "iso-duration": Judge("isodate", isodate.parse_duration),
        "iso-interval": Judge("isodate, part by part", _is_interval),
        "iso-time": Judge("isodate", lambda text: isodate.parse_time(text.removeprefix("T"))),
        "json": Judge("json", _is_json),
        "json-compact": Judge("json", _is_json),
        "mermaid-flowchart": Judge("mermaid, jsdom", mermaid.parse),
        "python-expression": Judge("ast", parsed),
        "regex": Judge("re", re.compile),
        "semver": Judge("semver", semver.Version.parse),
        "smiles": Judge("partialsmiles", molecule),
        "sql-select": Judge("sqlglot", sqlglot.parse_one),
        "toml": Judge("tomlkit", tomlkit.parse),
        "url": Judge("rfc3987-syntax, rfc3986-validator", located),
        "uuid": Judge("uuid", uuid.UUID),
    }


def _is_json(text: str) -> bool:
    json.loads(text)  # whose value may be False
    return True


def _is_one_record(text: str) -> bool:
    return len([*csv.reader(io.StringIO(text, newline=""), strict=True)]) == 1


def _is_interval(text: str) -> bool:
    import isodate

    parts = text.split("/")[text.startswith("R") :]
    for part in parts:
        if part.startswith("P"):
            isodate.parse_duration(part)
        elif "T" in part:
            isodate.parse_datetime(part)
        else:
            isodate.parse_date(part)
    return len(parts) == 2


def _has_the_form_of_an_iban(text: str) -> bool:
    """Whether stdnum finds no fault but the check digits, which the grammar does not verify."""
    from stdnum import exceptions, iban

    try:
        iban.validate(text[:2] + iban.calc_check_digits(text) + text[4:], check_country=False)
    except exceptions.ValidationError:
        return False
    return True
