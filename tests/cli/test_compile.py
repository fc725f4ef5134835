"""`structgen compile` prints the size of an automaton."""

from __future__ import annotations

import json

import pytest

import structgen as sg
from structgen_mini import mini_folder

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
TOKENIZER = str(mini_folder() / "tokenizer.json")
NUMBERS = ("states", "classes", "edges", "min_tokens", "milliseconds")


def test_the_table_names_every_number(run):
    result = run("compile", "models.py:Bill")
    assert (result.code, result.err, result.written) == (0, "", ())
    for name in NUMBERS:
        assert name.replace("_", " ") in result.out


def test_the_numbers_are_those_of_the_constraint(run, folder):
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    numbers = json.loads(run("compile", "schema.json", "--json").out)
    info = sg.compile(SCHEMA).info()
    assert numbers["states"] == info.states
    assert numbers["edges"] == info.edges
    assert numbers["min_tokens"] == len('{"name":""}')


def test_a_tokenizer_needs_fewer_tokens_than_bytes(run):
    over_bytes = json.loads(run("compile", "models.py:Bill", "--json").out)
    over_tokens = json.loads(run("compile", "models.py:Bill", "--tokenizer", TOKENIZER, "--json").out)
    assert over_tokens["min_tokens"] < over_bytes["min_tokens"]


def test_compact_whitespace_is_another_automaton(run):
    flexible = json.loads(run("compile", "models.py:Bill", "--json").out)
    compact = json.loads(run("compile", "models.py:Bill", "--whitespace", "compact", "--json").out)
    assert compact["edges"] < flexible["edges"]


def test_a_schema_comes_from_stdin(run):
    assert json.loads(run("compile", "-", "--json", stdin=json.dumps(SCHEMA).encode()).out)["states"] > 1


def test_the_second_time_comes_from_the_cache(run):
    run("compile", "models.py:Person")
    assert json.loads(run("compile", "models.py:Person", "--json").out)["cached"] is True


def test_explain_lists_everything_that_is_refused(run, folder):
    schema = {"properties": {"a": {"pattern": r"(a)\1"}, "b": {"requierd": ["a"]}}, "type": "object"}
    (folder / "schema.json").write_text(json.dumps(schema))
    refusals = json.loads(run("compile", "schema.json", "--explain", "--json").out)["refusals"]
    assert [(row["at"], row["keyword"]) for row in refusals] == [
        ("/properties/a/pattern", "pattern"),
        ("/properties/b/requierd", "requierd"),
    ]
    assert all(row["instead"] for row in refusals)
    assert "nothing" in run("compile", "models.py:Bill", "--explain").out


def test_explain_tells_what_is_not_enforced_of_a_set(run, folder):
    (folder / "tags.py").write_text(
        "import pydantic\n\nclass Tags(pydantic.BaseModel):\n    tags: set[str]\n"
    )
    told = json.loads(run("compile", "tags.py:Tags", "--explain", "--json").out)
    assert told["refusals"] == []
    assert [row["at"] for row in told["not enforced"]] == ["/properties/tags/uniqueItems"]
    assert "does no harm" in run("compile", "tags.py:Tags", "--explain").out


def test_explain_tells_which_validators_run_only_when_parsing(run, folder):
    (folder / "even.py").write_text(
        "import pydantic\n\nclass Even(pydantic.BaseModel):\n    n: int\n\n"
        "    @pydantic.field_validator('n')\n    def even(cls, n):\n        return n\n"
    )
    told = json.loads(run("compile", "even.py:Even", "--explain", "--json").out)
    assert [(row["at"], row["keyword"]) for row in told["not enforced"]] == [("/properties/n", "validator")]
    out = run("compile", "even.py:Even", "--explain").out
    assert "checked when parsing" in out
    assert "does no harm" not in out


def test_a_regular_expression_and_a_grammar_compile_too(run, folder):
    (folder / "word.ebnf").write_text('root ::= "a" [b-z]{2}')
    (folder / "word.gbnf").write_text("root ::= [a-z]{3}\n")
    for source in (("word.ebnf",), ("word.gbnf",), ("--regex", "[a-z]{3}")):
        assert json.loads(run("compile", *source, "--json").out)["min_tokens"] == 3
    explained = json.loads(run("compile", "--regex", r"(a)\1", "--explain", "--json").out)
    assert [row["keyword"] for row in explained["refusals"]] == ["pattern"]


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ((), '{"a":"","n":1}'),
        (("--unknown", "annotations"), "{}"),
        (("--unknown", "annotations", "--additional", "open"), "{}"),
        (("--unknown", "annotations", "--order", "any"), "{}"),
    ],
)
def test_the_options_of_json_are_those_of_python(run, folder, options, least):
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "requierd": ["a"]}
    (folder / "schema.json").write_text(json.dumps(schema))
    result = run("compile", "schema.json", "--json", *options)
    if not options:
        assert "did you mean required? If it is an annotation, pass --unknown annotations" in result.err
        return
    named = {name.removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)}
    info = sg.compile(schema, **named).info()
    numbers = json.loads(result.out)
    assert (numbers["states"], numbers["edges"], numbers["min_tokens"]) == (
        info.states,
        info.edges,
        len(least),
    )


@pytest.mark.parametrize(
    ("reference", "resource"),
    [
        ("other.json#/x", "lib/other.json"),
        ("./other.json#/x", "lib/other.json"),
        ("lib/other.json#/x", "lib/other.json"),
        ("http://example.com/x", "http://example.com/x=lib/x.json"),
        ("http://example.com/schemas/whole", "lib/whole.json"),
    ],
)
def test_references_lead_into_files_that_are_given(run, folder, reference, resource):
    (folder / "lib").mkdir()
    (folder / "lib" / "other.json").write_text('{"x": {"const": "yes"}}')
    (folder / "lib" / "x.json").write_text('{"const": "yes"}')
    (folder / "lib" / "whole.json").write_text('{"$id": "http://example.com/schemas/whole", "const": "yes"}')
    (folder / "schema.json").write_text(json.dumps({"$ref": reference}))
    result = run("compile", "schema.json", "--json", "--resource", resource)
    assert (result.code, json.loads(result.out)["min_tokens"]) == (0, len('"yes"'))
    named = {"$id": "http://example.com/base/schema.json", "$ref": "other.json#/x"}
    (folder / "named.json").write_text(json.dumps(named))
    assert run("compile", "named.json", "--resource", "lib/other.json").code == 0
