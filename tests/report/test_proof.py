"""A proof shows what the document holds as text, links values and places, and needs nothing but itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import structgen as sg
from papers.sheets import Sheets
from structgen.report.proof import Entry, Exhibit, Still, percent, proof, report, segments, table

HOSTILE = "</script><b>bold</b></pre> \u202egnp.exe & <img src=x onerror=alert(1)> Marta of Gdansk"


class Person(BaseModel):
    name: str
    age: int = Field(le=130)


class Reader(HTMLParser):
    """What a browser makes of a page: its elements, and the text inside the document's <pre>."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside, self.text = False, ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = self.inside or (tag == "pre" and not self.text)

    def handle_endtag(self, tag):
        if tag == "pre":
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.text += data


def entry(**more) -> Entry:
    return Entry("/a", '"x"', 0.5, [('"y"', 0.25)], **more)


@given(st.text(max_size=60))
def test_any_document_shows_as_its_own_text(text):
    seen = Reader(proof([entry()], sg.Document(text)))
    shown = re.sub(r"U\+([0-9A-F]{4})", lambda code: chr(int(code[1], 16)), seen.text)
    if "U+" not in text:
        assert shown.replace("\r\n", "\n").replace("\r", "\n") == text.replace("\r\n", "\n").replace(
            "\r", "\n"
        )
    assert {tag for tag, _ in seen.elements} & {"b", "img", "iframe", "link"} == set()


def test_a_hostile_document_adds_no_element():
    plain = Reader(proof([entry()], sg.Document("plain"), title="t"))
    page = proof(
        [entry(doubts=[HOSTILE])],
        sg.Document(HOSTILE),
        stills=[Still(0, 0, [HOSTILE], [True])],
        title=HOSTILE,
    )
    assert [tag for tag, _ in Reader(page).elements].count("img") == 0
    assert {tag for tag, _ in plain.elements} >= {tag for tag, _ in Reader(page).elements} - {
        "span", "div", "input", "label", "h2",
    }  # fmt: skip
    assert "\u202e" not in page
    assert "U+202E" in page


def test_nothing_is_asked_of_a_network():
    page = proof([entry(spans=[(0, 5)])], sg.Document("Marta"))
    assert "default-src 'none'" in page
    for _, attributes in Reader(page).elements:
        for name in ("src", "href"):
            assert re.match(r"data:|#", attributes.get(name) or "#")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), max_size=5))
def test_segments_are_the_text_cut_at_spans(pairs):
    text = "abcdefghijklmnop"
    entries = [entry(spans=[(start, start + size)]) for start, size in pairs]
    found = list(segments(text, entries))
    assert "".join(one.text for one in found) == text
    for at, (start, size) in enumerate(pairs):
        assert "".join(one.text for one in found if at in one.rows) == text[start : start + size]
        assert sum(at in one.first for one in found) == 1


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (1e-9, "< 0.1 %"),
        (0.99999, "> 99.9 %"),
        (0.5, "50.0 %"),
        (0.9994, "99.9 %"),
    ],
)
def test_only_certainty_is_shown_as_certain(share, shown):
    assert percent(share) == shown


def test_an_estimate_is_shown_before_what_the_model_says():
    one = Entry("/a", '"x"', 0.9999, calibrated=0.723)
    assert (one.sure, one.percent) == (0.723, "72 %")
    assert "72 % likely right; the model says &gt; 99.9 %" in proof([one], None)
    assert Entry("/a", '"x"', 1.0, calibrated=0.999).percent == "99 %"
    assert Entry("/a", '"x"', 1.0).percent == "100 %"


@pytest.fixture(scope="module")
def result() -> sg.Generation[Person]:
    return sg.load().extract("Marta Kowalski is 200 years old.", Person, details=True)


def test_a_result_shows_its_values_places_doubts_and_steps(result: sg.Generation[Person]):
    page = result.html()
    elements = Reader(page).elements
    assert [a["data-rows"] for tag, a in elements if tag == "mark"] == ["0"]
    assert sum(tag == "li" for tag, _ in elements) == 2
    assert "the model preferred 200" in page
    stills = json.loads(re.search(r'class="frames">(.*?)</script>', page, re.S)[1])  # type: ignore[index]
    assert len(stills) == len(result.trace) == result.steps
    assert "Marta Kowalski" in "".join(stills[-1]["pieces"])
    assert "the model preferred 200" in result._repr_html_() == table(result._entries())


def test_a_result_survives_json(result: sg.Generation[Person]):
    again = sg.Generation.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again.html() == result.html()
    assert again.value == json.loads(result.text)


def test_a_report_has_every_document_once_and_names_those_that_failed():
    rows = [entry(spans=[(0, 5)], doubts=["not stated"]), Entry("/b", "1", 0.25)]
    exhibits = [
        Exhibit("a.txt", rows, sg.Document("Marta")),
        Exhibit("b.pdf", failure="it is empty"),
        Exhibit("c", rows, missing="gone <b>"),
    ]
    elements = Reader(page := report(exhibits, title=HOSTILE)).elements
    assert [a["id"] for tag, a in elements if tag == "details"] == ["document0", "document1", "document2"]
    identified = [a["id"] for _, a in elements if "id" in a]
    assert len(identified) == len(set(identified))
    targets = {a["href"] for tag, a in elements if tag == "a"}
    assert targets <= {f"#{one}" for one in identified}
    assert [tag for tag, _ in elements].count("li") == 4
    assert "it is empty" in page
    assert "gone &lt;b&gt;" in page
    assert "documents: 3 · failed: 1 · warnings: 2" in page
    assert page.count("25.0 % /b") == 2


def test_pages_that_do_not_fit_are_shown_as_text():
    document = sg.Document.open(Sheets().line("Vendor: Acme").bytes())
    assert len(Exhibit("bill", [], document).sheets) == 1
    small = Exhibit("bill", [], document, room=10)
    assert not small.sheets
    assert "".join(one.text for one in small.segments) == "Vendor: Acme"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_a_browser_runs_it_without_a_word(result: sg.Generation[Person], tmp_path: Path):
    page = tmp_path / "proof.html"
    page.write_text(result.html(), encoding="utf-8")
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--dump-dom",
    ]
    ran = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in ran.stderr
    assert 'class="where" aria-live="polite">block 1, step' in ran.stdout
