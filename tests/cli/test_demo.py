"""`structgen demo` runs where nobody watches, and draws a canvas that does not move."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from structgen import Vocabulary
from structgen.cli.draw import BlockPicture, Frame, last_attempt, shown
from structgen.cli.invoice import INVOICE_TEXT, Invoice

VOCABULARY = Vocabulary.from_tokens(
    ["<pad>", "<null>", b'{"a":"', b"Oslo", b"Bergen", b"\xc3", "京都".encode(), b'"}\n']
)
FINAL = (2, 3, 1, 7, 0)
SETTLED = Frame(0, 1, FINAL, (True,) * 5, (False, True, True, False, False), (0.0,) * 5)
NOISY = Frame(
    0,
    0,
    (2, 4, 6, 7, 0),
    (True, False, False, True, True),
    (False, True, True, False, False),
    (0, 9, 1, 0, 0),
)
CANVAS = BlockPicture.of(VOCABULARY, [NOISY, SETTLED])


def test_the_invoice_fits_a_scaffold(loader):
    from minis import canvas_of, outlined
    from structgen_mini.layout import first_layout

    assert first_layout(canvas_of(loader.load(None)), outlined(Invoice)) is not None


def test_without_a_terminal_three_frames_and_the_object_are_printed(run):
    result = run("demo", "--steps", "4")
    assert (result.code, result.err, result.written) == (0, "", ())
    assert result.out.count("tokens settled") in (1, 2, 3)
    assert "step 1 of" in result.out
    assert "\x1b" not in result.out
    assert all(line == line.rstrip() for line in result.out.splitlines())
    Invoice.model_validate_json(result.out[result.out.rindex("\n{") : result.out.rindex("}") + 1])
    assert re.search(r"^/vendor +\d+ %$", result.out, re.M)


def test_the_document_and_the_class_are_shown(run):
    out = run("demo", "--steps", "1", "--fast", "--frames").out
    assert INVOICE_TEXT.splitlines()[0] in out
    assert "class Invoice(BaseModel):" in out


def test_json_holds_value_steps_and_seconds(run):
    answer = json.loads(run("demo", "--steps", "2", "--json").out)
    assert set(answer) == {"value", "steps", "seconds"}
    Invoice.model_validate_json(json.dumps(answer["value"]))


def test_the_page_shows_where_each_value_is_stated(run, tmp_path):
    run("demo", "--steps", "2", "--json", "--html", str(tmp_path / "proof.html"))
    page = (tmp_path / "proof.html").read_text(encoding="utf-8")
    assert "<mark" in page
    assert "the invoice of structgen demo" in page


def test_the_picture_shows_noise_and_what_came_of_it(run, tmp_path):
    assert run("demo", "--picture", str(tmp_path / "canvas.svg")).out == ""
    drawn = ElementTree.parse(tmp_path / "canvas.svg").getroot()
    shown = "".join(drawn.itertext()).replace("\xa0", " ")
    settled = [tuple(map(int, pair)) for pair in re.findall(r"(\d+) of (\d+) tokens settled", shown)]
    assert len(settled) == 3
    assert settled[0][0] < settled[1][0] < settled[2][0] == settled[2][1]
    assert "NP-20417" in shown


@pytest.mark.parametrize("width", [8, 12, 40])
def test_no_line_is_wider_than_the_terminal_and_no_token_moves(width):
    noisy, settled = (CANVAS.draw(frame, width).plain.split("\n") for frame in (NOISY, SETTLED))
    assert [cell_len(line) for line in noisy] == [cell_len(line) for line in settled]
    assert max(map(cell_len, settled)) <= width


def test_the_last_frame_is_the_text():
    assert CANVAS.draw(SETTLED, 40).plain == '{"a":"Oslo·"}⏎·'


def test_without_colours_noise_is_shaded():
    assert CANVAS.draw(NOISY, 40, colours=False).plain == '{"a":"░░░░░"}⏎·'


def test_tokens_that_no_terminal_shows_take_one_cell():
    assert [shown(VOCABULARY, token) for token in (0, 1, 5)] == ["·", "·", "¿"]
    assert shown(Vocabulary.from_tokens([b"\x1b[2J"]), 0) == "¿[2J"


def test_only_the_last_attempt_is_replayed():
    assert last_attempt([NOISY, SETTLED, NOISY, SETTLED]) == [NOISY, SETTLED]
    assert last_attempt([]) == []
