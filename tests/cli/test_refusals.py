"""Whatever is wrong is said in one sentence on stderr; stdout stays empty and no file appears."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from structgen_mini import mini_folder

BILL = ("-s", "models.py:Bill")
FAST = ("--steps", "2")


def refused(run, code: int = 1) -> str:
    """The sentence of a run that was refused as it should be."""
    assert run.code == code, run.err
    assert run.out == ""
    assert run.written == ()
    assert run.err.startswith("error: ")
    assert run.err.count("\n") == 1
    assert "Traceback" not in run.err
    assert "internal error" not in run.err
    return run.err


def schema_file(folder: Path, schema: object) -> str:
    (folder / "schema.json").write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return "schema.json"


# The document


def test_a_missing_document(run):
    assert "nowhere.txt does not exist" in refused(run("extract", *BILL, "nowhere.txt"), code=2)


def test_a_folder_as_document(run, folder):
    (folder / "docs").mkdir()
    assert "docs is a folder" in refused(run("extract", *BILL, "docs"), code=2)


def test_a_document_that_may_not_be_read(run, folder, monkeypatch):
    def refuse(path: Path, *how: str, **more: str) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert "doc.txt cannot be read: Permission denied" in refused(run("extract", *BILL, "doc.txt"), code=2)


def test_a_document_in_another_encoding(run, folder):
    (folder / "latin.txt").write_bytes("Straße".encode("latin-1"))
    sentence = refused(run("extract", *BILL, "latin.txt"), code=2)
    assert (
        "latin.txt is not UTF-8 text (byte 0xdf at offset 4): give its encoding with --encoding cp1252"
        in sentence
    )
    assert run("extract", *BILL, "latin.txt", *FAST, "--encoding", "cp1252").code == 0


def test_a_binary_document(run, folder):
    (folder / "image.bin").write_bytes(b"PNG\0\0\1")
    assert "image.bin is binary" in refused(run("extract", *BILL, "image.bin"), code=2)
    (folder / "image.png").write_bytes(b"PNG\0\0\1")
    assert "image.png is not an image, though its name ends in .png" in refused(
        run("extract", *BILL, "image.png"), code=2
    )


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("broken.pdf", b"%PDF-1.7\n", "broken.pdf is a broken PDF"),
        ("text.pdf", b"Vendor: Acme", "text.pdf is not a PDF, though its name ends in .pdf"),
        ("broken.docx", b"PK\3\4", "broken.docx is a broken ZIP archive"),
        ("zero.txt", b"Vendor\0", "zero.txt is binary (a zero byte at offset 6)"),
        ("half.txt", b"\xed\xa0\x80", "half.txt is not UTF-8 text (byte 0xed at offset 0)"),
        ("long.txt", b"Vendor: Acme\n" * 80_000, "at most 512"),
    ],
)
def test_a_file_that_cannot_be_read(run, folder, name, content, sentence):
    (folder / name).write_bytes(content)
    assert sentence in refused(run("extract", *BILL, name), code=2)


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_document(run, folder, content):
    (folder / "empty.txt").write_bytes(content)
    assert "empty.txt is empty" in refused(run("extract", *BILL, "empty.txt"), code=2)


def test_an_empty_stdin(run):
    assert "stdin is empty" in refused(run("extract", *BILL, "-"), code=2)


def test_a_document_that_is_too_long(run, folder):
    (folder / "long.txt").write_text("Vendor: Cobalt\n" * 80_000)
    assert "at most" in refused(run("extract", *BILL, "long.txt"), code=2)


def test_a_budget_that_is_too_small(run):
    sentence = refused(run("extract", *BILL, "doc.txt", "--max-tokens", "3"))
    assert "the budget of 3 tokens is too small" in sentence
    assert re.search(r"allow at least (\d+) with --max-tokens \1$", sentence.strip())


# The class


def test_a_class_that_is_not_there(run):
    sentence = refused(run("extract", "-s", "models.py:Invoice", "doc.txt"))
    assert "no class 'Invoice'" in sentence
    assert "models.py:Bill, models.py:Person" in sentence


def test_a_python_file_without_a_class_named(run):
    assert "models.py:Bill" in refused(run("extract", "-s", "models.py", "doc.txt"), code=2)


def test_a_python_file_that_is_not_there(run):
    assert "the schema file nowhere.py does not exist" in refused(
        run("extract", "-s", "nowhere.py:Bill", "doc.txt")
    )


def test_a_python_file_that_raises_on_import(run, folder):
    (folder / "broken.py").write_text("import json\n\n\njson.loads('')\n")
    sentence = refused(run("extract", "-s", "broken.py:Bill", "doc.txt"))
    assert "broken.py cannot be imported: JSONDecodeError" in sentence
    assert "at line 4" in sentence


def test_a_python_file_that_is_no_python(run, folder):
    (folder / "broken.py").write_text("x = 1\nclass Bill(:\n")
    assert "SyntaxError: invalid syntax at line 2" in refused(run("compile", "broken.py:Bill"))


def test_a_python_file_that_exits(run, folder):
    (folder / "broken.py").write_text("raise SystemExit(0)\n")
    assert "SystemExit" in refused(run("compile", "broken.py:Bill"))


def test_a_python_file_that_imports_what_is_not_installed(run, folder):
    (folder / "broken.py").write_text("import no_such_package\n")
    assert "No module named 'no_such_package' at line 1" in refused(run("compile", "broken.py:Bill"))


def test_something_that_is_no_type(run, folder):
    (folder / "models.py").write_text("bill = 5\n")
    refused(run("extract", "-s", "models.py:bill", "doc.txt"))


def test_a_class_whose_validator_refuses_the_answer(run, folder):
    (folder / "models.py").write_text(
        "from pydantic import BaseModel, field_validator\n\n\n"
        "class Bill(BaseModel):\n    vendor: str\n\n"
        "    @field_validator('vendor')\n    def never(cls, value):\n"
        "        raise ValueError('nobody is good enough')\n"
    )
    sentence = refused(run("extract", *BILL, "doc.txt", *FAST))
    assert "validator" in sentence
    assert "nobody is good enough" in sentence


# The schema


def test_a_schema_that_is_no_json(run, folder):
    name = schema_file(folder, '{\n  "type": "object",\n  "properties" 5\n}')
    sentence = refused(run("extract", "-s", name, "doc.txt"))
    assert "schema.json is not JSON" in sentence
    assert "at line 3, column 16" in sentence


def test_a_missing_schema(run):
    assert "the schema file nowhere.json does not exist" in refused(run("compile", "nowhere.json"))


def test_a_folder_as_schema(run, folder):
    (folder / "schemas").mkdir()
    assert "schemas is a folder" in refused(run("compile", "schemas"))


def test_a_schema_that_is_a_list(run, folder):
    assert "must be an object, not list" in refused(run("compile", schema_file(folder, ["a", "b"])))


def test_a_schema_nested_beyond_all_measure(run, folder):
    assert "nested too deeply" in refused(run("compile", schema_file(folder, "[" * 100_000)))


def test_a_pattern_that_is_no_regular_expression(run, folder):
    schema = {
        "type": "object",
        "properties": {"code": {"type": "string", "pattern": "[a-"}},
        "required": ["code"],
    }
    assert "/properties/code" in refused(run("extract", "-s", schema_file(folder, schema), "doc.txt"))


def test_a_keyword_that_cannot_be_enforced(run, folder):
    schema = {
        "type": "object",
        "properties": {"tags": {"type": "array", "items": {"type": "string"}, "not": {"uniqueItems": True}}},
    }
    sentence = refused(run("compile", schema_file(folder, schema)))
    assert "uniqueItems" in sentence
    assert "/properties/tags" in sentence


def test_a_schema_that_nothing_satisfies(run, folder):
    refused(run("compile", schema_file(folder, {"type": "string", "minLength": 5, "maxLength": 2})))


def test_false_as_schema(run, folder):
    refused(run("compile", schema_file(folder, False)))


def test_a_reference_to_another_file_names_the_option_that_gives_it(run, folder):
    sentence = refused(run("compile", schema_file(folder, {"$ref": "other.json#/x"})))
    assert "pass --resource FILE with the schema other.json" in sentence
    assert "resources=" not in sentence


def test_a_resource_that_cannot_be_read(run, folder):
    schema_file(folder, {"$ref": "other.json#/x"})
    missing = refused(run("compile", "schema.json", "--resource", "other.json"))
    assert "the schema file other.json does not exist" in missing
    (folder / "other.json").write_text("[]")
    assert "must be an object" in refused(run("compile", "schema.json", "--resource", "other.json"))


def test_many_members_in_any_order_name_the_option_of_the_command_line(run, folder):
    schema = {"type": "object", "properties": {f"p{i}": {"type": "null"} for i in range(70)}}
    sentence = refused(run("compile", schema_file(folder, schema), "--order", "any"))
    assert "pass --order declared" in sentence
    assert "order=" not in sentence


def test_a_grammar_that_is_wrong_or_is_to_be_extracted(run, folder):
    (folder / "g.ebnf").write_text('root ::= "a".."z"')
    result = run("compile", "g.ebnf")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: g.ebnf, line 1 of the grammar, column 13")
    assert result.err.endswith(f'\nroot ::= "a".."z"\n{" " * 12}^\n')
    assert "the grammar file nowhere.gbnf does not exist" in refused(run("compile", "nowhere.gbnf"))
    (folder / "g.ebnf").write_text('root ::= "a"')
    assert "needs a type or a JSON Schema, not Ebnf" in refused(run("extract", "-s", "g.ebnf", "doc.txt"))


def test_a_grammar_that_is_wrong_is_shown_with_a_caret(run, folder):
    (folder / "g.lark").write_text("start: item\r\nitem missing\r\n")
    (folder / "text.txt").write_text("a")
    for command in (("compile", "g.lark"), ("check", "-g", "g.lark", "text.txt")):
        result = run(*command)
        sentence, line, caret = result.err.rstrip("\n").split("\n")
        assert result.code == 2
        assert sentence.startswith(
            "error: g.lark, line 2, column 6 of the grammar: expected ':' after rule name; "
        )
        assert (line, caret) == ("item missing", "     ^")


# Models and tokenizers


def test_a_missing_model_folder(run):
    sentence = refused(run("extract", *BILL, "doc.txt", "--model", "no/such/model"))
    assert "no/such/model" in sentence


def test_a_model_folder_named_by_the_environment(run, monkeypatch):
    monkeypatch.setenv("STRUCTGEN_MODEL", "no/such/model")
    assert "no/such/model" in refused(run("extract", *BILL, "doc.txt"))


def test_a_model_folder_without_a_model(run, folder):
    (folder / "model").mkdir()
    assert "config.json" in refused(run("extract", *BILL, "doc.txt", "--model", "model"))


def test_a_model_folder_with_a_corrupt_tokenizer(run, folder):
    shutil.copytree(mini_folder(), folder / "model", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (folder / "model" / "tokenizer.json").write_text('{"model": ')
    assert "is not a tokenizer.json" in refused(run("extract", *BILL, "doc.txt", "--model", "model"))


@pytest.mark.parametrize("weights", [None, b"", b"no weights at all"], ids=["missing", "empty", "corrupt"])
def test_a_model_folder_without_readable_weights(run, folder, weights):
    shutil.copytree(
        mini_folder(), folder / "model", ignore=shutil.ignore_patterns("*.py", "__pycache__", "*.safetensors")
    )
    if weights is not None:
        (folder / "model" / "model.safetensors").write_bytes(weights)
    assert "the model in model cannot be loaded" in refused(
        run("extract", *BILL, "doc.txt", "--model", "model")
    )


def test_a_corrupt_tokenizer(run, folder):
    (folder / "tokenizer.json").write_text('{"model": ')
    sentence = refused(run("compile", "models.py:Bill", "--tokenizer", "tokenizer.json"))
    assert "tokenizer.json is not a tokenizer.json" in sentence


def test_a_missing_tokenizer(run):
    assert "nowhere.json" in refused(run("compile", "models.py:Bill", "--tokenizer", "nowhere.json"))


# The command line itself


@pytest.mark.parametrize(
    "arguments",
    [
        ("extract", "doc.txt"),
        ("extract", *BILL),
        ("extract", *BILL, "doc.txt", "--no-such-option"),
        ("extract", *BILL, "doc.txt", "--steps", "0"),
        ("extract", *BILL, "doc.txt", "--seed", "-1"),
        ("extract", *BILL, "doc.txt", "--max-tokens", "many"),
        ("extract", "-s", "-", "-"),
        ("compile", "models.py:Bill", "--whitespace", "some"),
        ("compile", "models.py:Bill", "--unknown", "some"),
        ("compile", "models.py:Bill", "--additional", "some"),
        ("compile", "models.py:Bill", "--order", "some"),
        ("compile",),
        ("compile", "models.py:Bill", "--regex", "a"),
        ("no-such-command",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(run, arguments):
    refused(run(*arguments), code=2)


def test_wrong_usage_names_the_help_that_explains_it(run):
    sentence = refused(run("extract", "doc.txt"), code=2)
    assert sentence == "error: missing option '--schema' / '-s'; see `structgen extract --help`\n"


def test_an_unexpected_exception_asks_for_a_report(run, loader, monkeypatch):
    def broken(*_):
        raise KeyError("x")

    monkeypatch.setattr(loader, "load", broken)
    result = run("extract", *BILL, "doc.txt")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: internal error: KeyError")
    assert result.err.count("\n") == 1


def test_a_traceback_shows_only_when_debugging(run, loader, monkeypatch):
    monkeypatch.setattr(loader, "load", lambda *_: 1 / 0)
    monkeypatch.setenv("STRUCTGEN_DEBUG", "1")
    assert "Traceback" in run("extract", *BILL, "doc.txt").err


def test_an_interrupt_is_exit_code_130(run, loader, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loader, "load", interrupted)
    result = run("extract", *BILL, "doc.txt")
    assert (result.code, result.out, result.err) == (130, "", "")
