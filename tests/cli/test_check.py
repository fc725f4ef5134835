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
