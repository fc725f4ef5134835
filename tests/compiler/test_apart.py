"""Compiling in another process: what it refuses, what it leaves behind, and what becomes of sources that never end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from structgen.compiler.apart import LATE, CompilingProcess
from structgen.compiler.constraint import Constraint, compile
from structgen.errors import InvalidSource, Unsupported
from structgen.sources import JsonSchema, Regex
from structgen.tokens.vocabulary import Vocabulary

SECONDS = 0.5  # of a processor, LATE times as many of a clock: the machine of the tests may be busy
LETTERS = Vocabulary.from_tokens([b"a", b"b", b"ab", b'"', b" ", "<e>"])
COPIED = JsonSchema({"type": "string", "x-verbatim": True})


class Unending:
    """A source that takes a minute to read, and looks at no clock."""

    def __reduce__(self) -> Any:
        return time.sleep, (60,)


class Huge:
    """A source that takes a hundred gigabytes to read."""

    def __reduce__(self) -> Any:
        return bytearray, (100 << 30,)


@pytest.fixture(scope="module")
def compiler() -> Iterator[CompilingProcess]:
    made = CompilingProcess(LETTERS, seconds=SECONDS, gigabytes=1)
    yield made
    made.close()


def test_what_it_compiles_lies_on_disk(compiler: CompilingProcess):
    source = Regex("(ab){7}b")
    assert compiler.refusal(source) is None
    assert compile(source, LETTERS).cached


@pytest.mark.parametrize("cache", ["", "/proc/structgen"])
def test_without_a_folder_that_is_kept_the_child_hands_over_in_its_own(
    cache: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STRUCTGEN_CACHE", cache)
    compiler = CompilingProcess(LETTERS, seconds=SECONDS, gigabytes=1)
    source = Regex("(ab){9}b")
    found = compiler.found(source, lambda: compile(source, LETTERS).cached)
    assert found is True
    folder = compiler.folder
    assert list(folder.iterdir()) == []
    assert not compile(source, LETTERS).cached
    assert isinstance(compiler.found(Regex("a{99999999}"), lambda: None), Unsupported)
    compiler.close()
    assert not folder.exists()


def test_what_it_refuses_is_the_same_error(compiler: CompilingProcess):
    with pytest.raises(InvalidSource) as caught:
        compile(JsonSchema({"items": {"type": "strin"}}))
    refused = compiler.refusal(JsonSchema({"items": {"type": "strin"}}))
    assert isinstance(refused, InvalidSource)
    assert str(refused) == str(caught.value)
    assert refused.pointer == "/items/type"


def test_a_document_is_bound_as_it_is_in_this_process(compiler: CompilingProcess):
    constraint = compile(COPIED, LETTERS)
    there, here = compiler.bound(constraint, "ab b"), constraint.bind("ab b")
    assert isinstance(there, Constraint)
    assert (there.fingerprint, there.document) == (here.fingerprint, here.document)
    for text in ('"ab"', '"b"', '"ba"', '"ab b"', "ab"):
        assert there.accepts(text) == here.accepts(text)
    assert there.accepts('"ab"')
    refused = compiler.bound(constraint, "")
    assert isinstance(refused, InvalidSource)
    with pytest.raises(InvalidSource, match="empty"):
        raise refused


def test_a_source_that_never_ends_ends_the_process_and_not_its_service(compiler: CompilingProcess):
    assert compiler.refusal(Regex("ab")) is None  # the process has started
    begun = time.monotonic()
    hostile: list[Any] = [Unending(), Huge()]
    for source in hostile:
        refused = compiler.refusal(source)
        assert isinstance(refused, Unsupported)
        assert "memory" in str(refused)
    assert time.monotonic() - begun < LATE * SECONDS + 30  # the process started once more
    assert compiler.refusal(Regex("(ab){5}")) is None
