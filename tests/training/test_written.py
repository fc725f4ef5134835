"""The written documents are right: their values fit their schemas, and each marked value stands where the mark says."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from training.samples import Sample
from training.written import FOLDER, unmarked, written_documents

FILES = sorted(FOLDER.glob("*.toml"))
DIGITS = re.compile(r"\d+")
MONTHS = """
jan ene sty led oca gen januar january janvier enero gennaio janeiro januari stycznia ledna ocak leden styczeń
feb fev fév lut úno şub february februar février febrero febbraio fevereiro februari lutego února şubat únor luty
mar mrt mär mär. märz march mars marzo março maart marca března marts mart březen marzec
apr avr abr kwi dub nis april avril abril aprile kwietnia dubna nisan duben kwiecień
may mai maj mag mayo maggio maio mei maja května mayıs květen
jun juin cze čvn haz giu june juni junio giugno junho czerwca června haziran červen czerwiec
jul juil lip čvc tem lug july juli julio luglio julho juillet lipca července temmuz červenec lipiec
aug août ago sie srp ağu august agosto augustus augusti sierpnia srpna ağustos srpen sierpień
sep sept set wrz zář eyl september septembre septiembre settembre setembro września září eylül wrzesień
oct okt ott out paź říj eki october oktober octobre octubre ottobre outubro października října ekim říjen październik
nov lis kas november novembre noviembre novembro listopada listopadu kasım listopad
dec déc dic dez gru pro ara december dezember décembre diciembre dicembre dezembro grudnia prosince aralık prosinec
""".strip().splitlines()
MONTH = {name: number for number, names in enumerate(MONTHS, 1) for name in names.split()}


documents = functools.cache(lambda path: tuple(written_documents(path)))
EACH_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def at(value: Any, pointer: str) -> Any:
    """The part of a value that a JSON pointer names; raises where there is none."""
    for step in pointer.split("/")[1:]:
        value = (
            value[int(step)] if isinstance(value, list) else value[step.replace("~1", "/").replace("~0", "~")]
        )
    return value


def below(schema: dict[str, Any], pointer: str) -> dict[str, Any]:
    """The schema at a JSON pointer of the value, past `null`."""
    for step in pointer.split("/")[1:]:
        schema = next((one for one in schema.get("anyOf", []) if one != {"type": "null"}), schema)
        if "items" in schema:
            schema = schema["items"]
        else:
            schema = schema.get("properties", {}).get(step) or schema["additionalProperties"]
    return next((one for one in schema.get("anyOf", []) if one != {"type": "null"}), schema)


def one_line(text: str) -> str:
    return " ".join(text.split())


def numbers(surface: str) -> set[float]:
    """What a number can mean: separators are of thousands or of decimals; a minus or parentheses negate."""
    found = re.search(r"\d[\d.,'’\s]*", surface)
    if not found:
        return set()
    digits = re.sub(r"['’\s]", "", found[0]).rstrip(".,")
    plain = re.sub(r"[.,]", "", digits)
    readings = {float(plain)}
    if match := re.fullmatch(r"([\d.,]*)[.,](\d+)", digits):
        readings.add(float(re.sub(r"[.,]", "", match[1]) + "." + match[2]))
    if re.search(r"\bhalf\b", surface):
        readings |= {one + 0.5 for one in readings}
    negative = re.search(
        r"[-−–(]\s*[^\d\s]{0,3}\s*\d|\d\s*-$|\bminus\b|\bloss\b", surface.strip(), re.IGNORECASE
    )
    return readings | ({-one for one in readings} if negative else set())


def states(surface: str, day: date) -> bool:
    """Whether the words state this day: its number, its month, and the year if they say one.

    "7" in "7 to 9 May" states a day whose month stands elsewhere, "the first of May 2026" a day without a digit.
    """
    words = surface.lower()
    parts = [int(part) for part in DIGITS.findall(re.sub(r"(\d{4})(\d\d)(\d\d)", r"\1-\2-\3", words))]
    named = {MONTH[word] for word in re.findall(r"[^\W\d_]+", words) if word in MONTH}
    years = [part for part in parts if part > 31] or parts[2:]
    days = parts[:2] if years == parts[2:] else [part for part in parts if part not in years]
    month = day.month in named if named else day.month in days or len(days) == 1
    return (
        month
        and (not days or day.day in days)
        and (not years or bool({day.year, day.year % 100} & set(years)))
    )


def check_marks(sample: Sample) -> None:
    """Each mark stands for the value at its pointer, by readers that are not the library's."""
    text = one_line(sample.document)
    assert not re.search(r"[⟦⟧]", text)
    for span in sample.spans:
        value, schema = at(sample.value, span.pointer), below(sample.schema, span.pointer)
        assert sample.document[span.start : span.end] == span.surface
        where = f"{span.pointer} is {value!r}, the document has {span.surface!r}"
        if "enum" in schema or isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            assert not DIGITS.search(span.surface) or value in numbers(span.surface), where
        elif schema.get("format") == "date":
            assert not DIGITS.search(span.surface) or states(span.surface, date.fromisoformat(value)), where
        elif schema.get("format") != "date-time":
            assert value == one_line(span.surface), where
            assert value in text, where


def strings(value: Any, pointer: str = "") -> Iterator[str]:
    """The pointers of all strings in a value."""
    if isinstance(value, str):
        yield pointer
    children = (
        enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    )
    for name, child in children:
        yield from strings(child, f"{pointer}/{name}")


@EACH_FILE
def test_values_fit_valid_schemas(path: Path) -> None:
    """Draft 7 has every keyword that these schemas use, and its metaschema is read much faster."""
    checker = jsonschema.FormatChecker(["date", "email"])
    for one in documents(path):
        jsonschema.Draft7Validator.check_schema(one.sample.schema)
        jsonschema.Draft7Validator(one.sample.schema, format_checker=checker).validate(one.sample.value)


@EACH_FILE
def test_marks_state_their_values(path: Path) -> None:
    for one in documents(path):
        check_marks(one.sample)


@EACH_FILE
def test_strings_are_marked_or_chosen(path: Path) -> None:
    """Whatever a reader copies is marked, so that other values can take its place."""
    for one in documents(path):
        marked = {span.pointer for span in one.sample.spans}
        for pointer in set(strings(one.sample.value)) - marked:
            schema = below(one.sample.schema, pointer)
            assert "enum" in schema or "date" in schema.get("format", ""), (
                f"{one.kind}: {pointer} has no mark"
            )


def test_no_document_is_written_twice() -> None:
    texts = [one.sample.document for path in FILES for one in documents(path)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("marked", "value"),
    [("⟦/a|12,50⟧", 13), ("⟦/a|3 May 2026⟧", "2026-05-04"), ("⟦/a|Ada⟧", "Ben"), ("⟦/b|Ada⟧", "Ada")],
)
def test_a_wrong_mark_is_found(marked: str, value: Any) -> None:
    kinds = {"type": "number"} if value == 13 else {"type": "string"}
    kinds |= {"format": "date"} if str(value).startswith("2026") else {}
    document, spans = unmarked(marked)
    with pytest.raises((AssertionError, KeyError)):
        check_marks(Sample({"type": "object", "properties": {"a": kinds}}, document, {"a": value}, spans))


def test_marks_are_taken_out() -> None:
    text, spans = unmarked("Dear ⟦/to|Ada⟧, pay ⟦/sum|€ 5⟧!")
    assert text == "Dear Ada, pay € 5!"
    assert [(span.pointer, text[span.start : span.end]) for span in spans] == [
        ("/to", "Ada"),
        ("/sum", "€ 5"),
    ]
