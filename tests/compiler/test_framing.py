"""What surrounds the text of an answer: a thought before it, the end token and padding behind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg

TOKENS: list[bytes | str | None] = [
    "<pad>",
    "<|channel>",
    "<channel|>",
    "<turn|>",
    *(bytes([byte]) for byte in range(256)),
    b"thought",
    "<image>",
]
VOCABULARY = sg.Vocabulary.from_tokens(TOKENS)
OPEN, CLOSE, END, PAD = (
    VOCABULARY.special[name] for name in ("<|channel>", "<channel|>", "<turn|>", "<pad>")
)
texts = st.text(alphabet="abc {}\n", max_size=6)


def ids(text: str) -> list[int]:
    return VOCABULARY.encode(text)


def label() -> list[int]:
    return [TOKENS.index(b"thought"), *ids("\n")]


@given(thought=texts, answer=st.sampled_from(["yes", "no", "maybe"]), pads=st.integers(0, 3))
def test_a_thought_precedes_the_answer_only_where_thinking_is_allowed(
    thought: str, answer: str, pads: int
) -> None:
    written = [OPEN, *label(), *ids(thought), CLOSE, *ids(answer), END, *[PAD] * pads]
    for thinking in (False, True):
        constraint = sg.compile(["yes", "no"], VOCABULARY.prefaced(thinking=thinking))
        expected = answer != "maybe" and (thinking or thought == "")
        assert constraint.accepts_ids(written) == expected
    assert not sg.compile(["yes", "no"], VOCABULARY).accepts_ids(written)


@given(thought=texts, answer=texts)
def test_the_text_is_what_stands_behind_the_thought(thought: str, answer: str) -> None:
    written = [OPEN, *label(), *ids(thought), CLOSE, *ids(answer), END, *ids("beyond")]
    assert VOCABULARY.prefaced(thinking=True).decode(written).decode() == answer
    assert VOCABULARY.decode(written).decode() == f"thought\n{thought}{answer}"


@pytest.mark.parametrize("answer", ["bare", "<turn|>", "<|channel>thought\n<channel|>"])
def test_an_answer_without_its_preface_is_refused(answer: str) -> None:
    constraint = sg.compile(sg.Regex("[a-z]*"), VOCABULARY.prefaced())
    assert not constraint.accepts_ids([*VOCABULARY.encode(answer, special=True), *ids("X")])
    assert not constraint.accepts_ids(ids("bare"))


def test_the_least_number_of_tokens_counts_the_preface() -> None:
    plain, prefaced = (sg.compile(["yes"], vocabulary) for vocabulary in (VOCABULARY, VOCABULARY.prefaced()))
    assert prefaced.min_tokens == plain.min_tokens + 4


def test_a_prompt_that_ends_with_a_thought_leaves_none_to_the_answer() -> None:
    assert VOCABULARY.prefaced("<|turn>model\n<|channel>thought\n<channel|>").preface is None
    assert VOCABULARY.prefaced("<|turn>model\n").preface is not None


def test_a_vocabulary_without_the_names_has_no_preface() -> None:
    with pytest.raises(sg.InvalidVocabulary, match=r"preface.open='<\|channel>' is no special token"):
        sg.Vocabulary.from_tokens([b"a", "<eos>"]).prefaced()


class TestNarrowed:
    """A tokenizer file may hold ids that a model's head does not have."""

    def test_ids_below_mean_what_they_did(self) -> None:
        narrow = VOCABULARY.narrowed(len(TOKENS) - 1)
        assert narrow.size == len(TOKENS) - 1
        assert [narrow.spelling(index) for index in range(narrow.size)] == [
            VOCABULARY.spelling(index) for index in range(narrow.size)
        ]
        assert VOCABULARY.special.keys() - narrow.special.keys() == {"<image>"}

    def test_automata_know_no_other_ids(self) -> None:
        constraint = sg.compile(sg.Regex("[a-z]+"), VOCABULARY.narrowed(261))
        assert len(constraint.dfa.alphabet.class_of) == 261
        assert constraint.accepts_ids([*label()[:1], END]) == (label()[0] < 261)

    def test_a_wider_head_changes_nothing(self) -> None:
        assert VOCABULARY.narrowed(len(TOKENS)) is VOCABULARY.narrowed(10**6) is VOCABULARY

    def test_a_head_without_the_end_token_is_refused(self) -> None:
        with pytest.raises(sg.InvalidVocabulary, match="end="):
            VOCABULARY.narrowed(2)
