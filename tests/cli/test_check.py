"""`structgen check` says where a text leaves a schema."""

from __future__ import annotations

import json

SCHEMA = {"type": "object", "properties": {"age": {"type": "integer", "maximum": 130}}, "required": ["age"]}


def test_an_accepted_text(run, folder):
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    (folder / "out.json").write_text('{"age": 12}\n')
    result = run("check", "-s", "schema.json", "out.json")
    assert (result.code, result.out) == (0, "accepted\n")


def test_a_text_that_leaves_the_schema(run, folder):
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    result = run("check", "-s", "schema.json", "-", stdin=b'{"age":\n200}')
    assert result.code == 1
    assert result.out.startswith("not accepted at line 2, column 3 (/age), where the text has '0}'")
    told = json.loads(run("check", "-s", "schema.json", "-", "--json", stdin=b'{"age":\n200}').out)
    assert (told["accepted"], told["line"], told["column"], told["pointer"]) == (False, 2, 3, "/age")


def test_both_from_stdin_are_refused(run):
    assert run("check", "-s", "-", "-").code == 2


def test_verbatim_values_are_checked_against_a_document(run, folder):
    (folder / "verbatim.json").write_text('{"type": "string", "x-verbatim": {"align": "word"}}')
    (folder / "page.txt").write_text("from Acme Ltd")
    (folder / "yes.json").write_text('"Acme Ltd"')
    (folder / "no.json").write_text('"Acme L"')
    assert run("check", "-s", "verbatim.json", "--document", "page.txt", "yes.json").code == 0
    assert run("check", "-s", "verbatim.json", "--document", "page.txt", "no.json").code == 1
    without = run("check", "-s", "verbatim.json", "yes.json")
    assert (without.code, without.err.count("\n")) == (1, 1)
    assert "pass --document" in without.err
