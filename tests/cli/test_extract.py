"""`structgen extract` prints JSON that satisfies the schema, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from papers.sheets import Sheets
from structgen.cli.invoice import models

DOCUMENTS = sorted((Path(__file__).parents[2] / "examples" / "documents").iterdir())
BILL = ("-s", "models.py:Bill")
FAST = ("--steps", "2")
DOCUMENT = b"Vendor: Cobalt Cycling Ltd\nDate: 2026-01-30\nTotal: 86.60\n"


def test_there_are_twenty_documents():
    assert len(DOCUMENTS) == 20


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_example_document_becomes_a_valid_invoice(run, document):
    result = run("extract", "-s", f"{models.__file__}:Invoice", str(document), *FAST)
    assert result.code == 0, result.err
    assert all(line.startswith("warning: /") for line in result.err.splitlines())
    assert result.written == ()
    jsonschema.validate(json.loads(result.out), models.Invoice.model_json_schema())
    models.Invoice.model_validate_json(result.out)


def test_a_json_schema_file_works_like_a_class(run, folder):
    schema = {"type": "object", "properties": {"vendor": {"type": "string"}}, "required": ["vendor"]}
    (folder / "schema.json").write_text(json.dumps(schema))
    result = run("extract", "-s", "schema.json", "doc.txt", *FAST)
    jsonschema.validate(json.loads(result.out), schema)


def test_a_document_comes_from_stdin(run):
    named, piped = run("extract", *BILL, "doc.txt", *FAST), run("extract", *BILL, "-", *FAST, stdin=DOCUMENT)
    assert json.loads(piped.out) == json.loads(named.out)


def test_a_schema_comes_from_stdin(run):
    result = run("extract", "-s", "-", "doc.txt", *FAST, stdin=b'{"enum": ["a", "b"]}')
    assert json.loads(result.out) in ("a", "b")


def test_several_documents_become_lines_of_json(run, folder):
    (folder / "doc.pdf").write_bytes(Sheets().line("Vendor: Cobalt Cycling Ltd").line("Total: 86.60").bytes())
    result = run("extract", *BILL, "doc.txt", "doc.pdf", "-", *FAST, stdin=DOCUMENT)
    assert result.code == 0, result.err
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["document"] for line in lines] == ["doc.txt", "doc.pdf", "-"]
    assert lines[0]["value"] == lines[2]["value"] == json.loads(run("extract", *BILL, "doc.txt", *FAST).out)
    assert "details" in json.loads(
        run("extract", *BILL, "doc.txt", "doc.pdf", *FAST, "--details").out.splitlines()[1]
    )


def test_a_document_that_cannot_be_read_leaves_the_others(run, folder):
    (folder / "latin.txt").write_bytes("Straße".encode("latin-1"))
    result = run("extract", *BILL, "latin.txt", "nowhere.txt", "doc.txt", *FAST)
    assert (result.code, result.err.count("error: ")) == (3, 2)
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [set(line) for line in lines] == [
        {"document", "error"},
        {"document", "error"},
        {"document", "value"},
    ]
    assert "byte 0xdf at offset 4" in lines[0]["error"]


def test_a_name_that_says_another_kind_is_noted(run, folder):
    (folder / "doc.txt").write_bytes(Sheets().line("Vendor: Cobalt Cycling Ltd, total: 86.60").bytes())
    result = run("extract", *BILL, "doc.txt", *FAST)
    assert result.code == 0
    assert (
        result.err
        == "note: the name of the document doc.txt ends in .txt, but its content is a PDF, and was read as that\n"
    )


def test_the_same_seed_gives_the_same_answer(run):
    first, second = (run("extract", *BILL, "doc.txt", *FAST, "--seed", "7") for _ in range(2))
    assert first.out == second.out


def test_compact_is_one_line_and_the_default_is_indented(run):
    compact, indented = (
        run("extract", *BILL, "doc.txt", *FAST, "--compact"),
        run("extract", *BILL, "doc.txt", *FAST),
    )
    assert compact.out.count("\n") == 1
    assert indented.out.startswith('{\n  "vendor": ')
    assert json.loads(compact.out) == json.loads(indented.out)


def test_details_say_what_the_answer_took(run):
    plain, detailed = (
        run("extract", *BILL, "doc.txt", *FAST),
        run("extract", *BILL, "doc.txt", *FAST, "--details"),
    )
    answer = json.loads(detailed.out)
    assert answer["value"] == json.loads(plain.out)
    cost = {"log_prob", "steps", "seconds", "blocks", "dropped_share", "certified"}
    evidence = {"confidence", "calibrated", "alternatives", "spans", "warnings"}
    assert set(answer["details"]) == cost | evidence | {"document_sha256"}
    assert answer["details"]["spans"]["/vendor"] == [{"start": 8, "end": 26}]
    assert answer["details"]["steps"] >= 1


def test_what_a_module_prints_does_not_reach_stdout(run, folder):
    (folder / "models.py").write_text(
        "print('noise')\nfrom typing import Literal\nAnswer = Literal['a', 'b']\n"
    )
    result = run("extract", "-s", "models.py:Answer", "doc.txt", *FAST)
    assert json.loads(result.out) in ("a", "b")
    assert result.err == "noise\n"


def test_a_module_may_import_its_neighbour(run, folder):
    (folder / "parts.py").write_text("class Part:\n    pass\n")
    (folder / "whole.py").write_text("import parts\nfrom typing import Literal\nAnswer = Literal['a', 'b']\n")
    assert run("extract", "-s", "whole.py:Answer", "doc.txt", *FAST).code == 0


def test_digits_and_letters_are_printed_as_they_were_written():
    from structgen.generation.plain import json_text, json_value

    text = '{"total": 289.50, "big": 123456789012345678901234567890, "vendor": "Müller €", "none": null, "rows": []}'
    assert json_text(json_value(text), None) == text
    assert json.loads(json_text(json_value(text))) == json.loads(text)


def test_a_page_shows_the_evidence(run, folder):
    result = run("extract", *BILL, "doc.txt", *FAST, "--html", "proof.html")
    assert result.code == 0, result.err
    assert json.loads(result.out) == json.loads(run("extract", *BILL, "doc.txt", *FAST).out)
    page = (folder / "proof.html").read_text(encoding="utf-8")
    assert "Cobalt Cycling Ltd</mark>" in page
    assert "doc.txt" in page


def test_a_page_needs_one_document_and_a_place(run):
    assert run("extract", *BILL, "doc.txt", "doc.txt", "--html", "proof.html").code == 2
    refused = run("extract", *BILL, "doc.txt", *FAST, "--html", "missing/proof.html")
    assert refused.code == 2
    assert "cannot write missing/proof.html: No such file or directory" in refused.err


def test_a_stream_is_lines_of_json_that_end_with_the_value(run):
    result = run("extract", *BILL, "doc.txt", *FAST, "--stream")
    *before, last = [json.loads(line) for line in result.out.splitlines()]
    value = json.loads(run("extract", *BILL, "doc.txt", *FAST).out)
    assert last == {"value": value}
    assert {line["settled"]["pointer"]: line["settled"]["value"] for line in before if "settled" in line} == {
        f"/{name}": part for name, part in value.items()
    }
    assert any("partial" in line for line in before)
    assert run("extract", *BILL, "doc.txt", "doc.txt", "--stream").code == 2
