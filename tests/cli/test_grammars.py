"""`structgen grammars` lists, shows and tests the library; its names stand where a source is asked for."""

from __future__ import annotations

import json
from dataclasses import replace

from structgen.sources import library as module
from structgen.sources.library import library


def test_the_list_has_every_grammar(run):
    result = run("grammars", "list")
    assert result.code == 0
    assert all(f"{name} " in result.out for name in library)
    listed = json.loads(run("grammars", "list", "--json").out)
    assert [entry["name"] for entry in listed] == [*library]


def test_a_grammar_is_shown_as_it_is_read(run, folder):
    shown = run("grammars", "show", "semver").out
    (folder / "mine.ebnf").write_text(shown)
    (folder / "version.txt").write_text("1.0.0-rc.1\n")
    assert run("check", "-s", "mine.ebnf", "version.txt").out == "accepted\n"
    assert (
        json.loads(run("grammars", "show", "semver", "--json").out)["standard"]
        == library.entry("semver").standard
    )


def test_the_cases_of_named_grammars_are_tested(run):
    result = run("grammars", "test", "iso-date", "uuid")
    assert result.code == 0
    assert result.out.count("right: ") == 2
    assert json.loads(run("grammars", "test", "ipv4", "--json").out) == {"ipv4": []}


def test_a_case_that_comes_out_wrong_is_shown(run, monkeypatch):
    entry = library.entry("ipv4")
    wrong = replace(entry, reject=("1.2.3.4",))
    monkeypatch.setattr(module.GrammarLibrary, "entry", lambda self, name: wrong)
    result = run("grammars", "test", "ipv4")
    assert result.code == 1
    assert "wrong: '1.2.3.4' is accepted, over bytes" in result.out


def test_a_name_stands_for_its_grammar_unless_there_is_such_a_file(run, folder):
    assert run("check", "-s", "iso-date", "-", stdin=b"2024-02-29\n").out == "accepted\n"
    assert run("check", "-s", "iso-date", "-", stdin=b"2023-02-29\n").code == 1
    assert "states" in run("compile", "uuid").out
    (folder / "uuid").write_text('{"const": 1}')
    assert run("check", "-s", "uuid", "-", stdin=b"1\n").out == "accepted\n"


def test_an_unknown_name_is_one_sentence(run):
    result = run("grammars", "show", "iso-dates")
    assert (result.code, result.out) == (1, "")
    assert "the library has no grammar 'iso-dates'; did you mean iso-date" in result.err
