"""What each id spells: tokenizer files of both kinds built here, broken ones, and the real ones."""

from __future__ import annotations

import json
import random
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from structgen.errors import InvalidVocabulary
from structgen.tokens.vocabulary import BYTES, Vocabulary

BYTE_FALLBACK = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def added(index: int, content: str, *, special: bool = False) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": index, "content": content, "special": special} | flags


def sentencepiece(pieces: dict[str, int], *names: dict[str, Any], **model: Any) -> dict[str, Any]:
    bpe = {"type": "BPE", "vocab": pieces, "merges": [], "byte_fallback": True, "unk_token": "<unk>"}
    return {"version": "1.0", "added_tokens": list(names), "decoder": BYTE_FALLBACK, "model": bpe | model}


def byte_level(pieces: dict[str, int], *names: dict[str, Any], **model: Any) -> dict[str, Any]:
    bpe = {"type": "BPE", "vocab": pieces, "merges": []}
    stages = {"pre_tokenizer": BYTE_LEVEL, "decoder": BYTE_LEVEL}
    return {"version": "1.0", "added_tokens": list(names), "model": bpe | model} | stages


def read(folder: Path, tokenizer: Any, **roles: str) -> Vocabulary:
    path = folder / "tokenizer.json"
    path.write_text(tokenizer if isinstance(tokenizer, str) else json.dumps(tokenizer))
    return Vocabulary.from_file(path, **roles)


def spellings(vocabulary: Vocabulary) -> list[bytes]:
    return [vocabulary.spelling(index) for index in range(vocabulary.size)]


def test_sentencepiece_pieces_spell_their_text_and_single_bytes(tmp_path):
    pieces = {"<unk>": 0, "▁the": 1, "▁": 2, "<0xE2>": 3, "<0x0A>": 4, "<0xe2>": 5, "ß": 6, "<0xE2": 7}
    vocabulary = read(tmp_path, sentencepiece(pieces))
    assert spellings(vocabulary) == [b"", b" the", b" ", b"\xe2", b"\n", b"<0xe2>", b"\xc3\x9f", b"<0xE2"]
    assert vocabulary.special == {"<unk>": 0}


def test_byte_level_pieces_spell_through_the_printable_alphabet(tmp_path):
    pieces = {"Ġthe": 0, "Ċ": 1, "â": 2, "Ĥ¬": 3, "Ã": 4, "ÃŁ": 5, "a": 6, "Ń": 7}
    vocabulary = read(tmp_path, byte_level(pieces))
    assert spellings(vocabulary) == [
        b" the",
        b"\n",
        b"\xe2",
        b"\x82\xac",
        b"\xc3",
        b"\xc3\x9f",
        b"a",
        b"\xad",
    ]


def test_the_byte_level_alphabet_is_that_of_the_tokenizers_library(tmp_path):
    from tokenizers.pre_tokenizers import ByteLevel

    alphabet = sorted(ByteLevel.alphabet())
    vocabulary = read(tmp_path, byte_level({char: index for index, char in enumerate(alphabet)}))
    assert sorted(spellings(vocabulary)) == [bytes([byte]) for byte in range(256)]
    assert vocabulary.decode(vocabulary.encode("ß €\n")) == "ß €\n".encode()


MARKERS = [
    "<mask>",
    "<unused7>",
    "[multimodal]",
    "<think>",
    "</think>",
    "<start_of_image>",
    "<|eot_id|>",
    "<tool_call>",
]
TEXTS = ["<table>", "</td>", "<h1>", "<br>", "\n\n", "\t", "▁▁▁", "  "]


@pytest.mark.parametrize("make", [sentencepiece, byte_level])
def test_reserved_names_never_spell_and_markup_and_white_space_do_whatever_the_flags_say(tmp_path, make):
    names = [added(index, name) for index, name in enumerate(MARKERS + TEXTS)]
    vocabulary = read(tmp_path, make({}, *names, added(len(names), "<eos>", special=True)))
    assert vocabulary.special == {name: index for index, name in enumerate(MARKERS)} | {"<eos>": len(names)}
    for index, name in enumerate(TEXTS, len(MARKERS)):
        assert vocabulary.spelling(index) == name.replace("▁", " ").encode()
    assert all(vocabulary.spelling(index) == b"" for index in vocabulary.special.values())


def test_a_special_token_spells_nothing_even_if_a_piece_has_its_id(tmp_path):
    vocabulary = read(tmp_path, sentencepiece({"old": 0, "a": 1}, added(0, "<new>", special=True)))
    assert spellings(vocabulary) == [b"", b"a"]


def test_ids_with_the_same_bytes_are_all_kept_and_share_a_node(tmp_path):
    vocabulary = read(tmp_path, sentencepiece({"<0x61>": 0, "a": 1, "ab": 2}))
    assert spellings(vocabulary) == [b"a", b"a", b"ab"]
    nodes = vocabulary.trie.node_of.tolist()
    assert nodes[0] == nodes[1] != nodes[2]


def test_ids_that_no_piece_has_are_never_used(tmp_path):
    vocabulary = read(tmp_path, sentencepiece({"a": 0, "b": 5}))
    assert spellings(vocabulary) == [b"a", b"", b"", b"", b"", b"b"]
    assert vocabulary.special == {}


BROKEN = {
    "corrupt JSON": "{]",
    "no JSON at all": "",
    "a list": "[]",
    "a number": "3",
    "no model": {"added_tokens": []},
    "a model without a vocabulary": {"model": {"type": "BPE"}},
    "a vocabulary that is a list": sentencepiece([["a", 0]]),  # type: ignore[arg-type]
    "an empty vocabulary": sentencepiece({}),
    "ids that are text": sentencepiece({"a": "0"}),  # type: ignore[dict-item]
    "ids that are fractions": sentencepiece({"a": 0.5}),  # type: ignore[dict-item]
    "ids that are truth values": sentencepiece({"a": True}),
    "negative ids": sentencepiece({"a": -1, "b": 0}),
    "ids beyond all vocabularies": sentencepiece({"a": 10**12}),
    "added tokens without ids": sentencepiece({"a": 0}) | {"added_tokens": [{"content": "<x>"}]},
    "added tokens that are no objects": sentencepiece({"a": 0}) | {"added_tokens": ["<x>"]},
    "pieces outside the byte-level alphabet": byte_level({"a€": 0}),
    "half a surrogate pair": json.dumps(sentencepiece({"\ud800": 0})),
    "WordPiece": {"model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"a": 0}}},
    "Unigram": {"model": {"type": "Unigram", "vocab": [["a", -1.5]]}},
    "BPE over characters": sentencepiece({"a": 0}, byte_fallback=False) | {"decoder": None},
    "nested beyond reason": '{"model":' * 100_000,
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_readable_tokenizer_is_refused_in_one_sentence(name, tmp_path):
    with pytest.raises(InvalidVocabulary) as error:
        read(tmp_path, BROKEN[name])
    text = str(error.value)
    assert str(tmp_path) in text
    assert "\n" not in text
    assert len(text) < len(str(tmp_path)) + 200


@pytest.mark.parametrize("kind", ["WordPiece", "Unigram"])
def test_a_tokenizer_of_another_kind_is_named(kind, tmp_path):
    with pytest.raises(InvalidVocabulary, match=f"is a {kind} tokenizer"):
        read(tmp_path, BROKEN[kind])


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(InvalidVocabulary, match="cannot read the tokenizer file"):
            Vocabulary.from_file(path)


@settings(max_examples=60)
@given(st.data())
def test_no_truncation_of_a_tokenizer_file_escapes_as_another_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("truncated") / "tokenizer.json"
    whole = json.dumps(sentencepiece({"ß": 0}, added(1, "<eos>", special=True)), ensure_ascii=False).encode()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(InvalidVocabulary, match=r"is not a tokenizer\.json"):
        Vocabulary.from_file(path)


def test_roles_are_found_by_name_given_by_name_and_refused_if_unknown(tmp_path):
    names = [
        added(index, name, special=True)
        for index, name in enumerate(["<eos>", "<pad>", "<end_of_turn>", "<null>"])
    ]
    vocabulary = read(tmp_path, sentencepiece({"a": 9}, *names))
    assert (vocabulary.end, vocabulary.pad, vocabulary.null) == ("<end_of_turn>", "<pad>", "<null>")
    assert read(tmp_path, sentencepiece({"a": 9}, *names), end="<eos>", pad="<eos>").pad == "<eos>"
    for wrong in ("<stop>", ""):
        with pytest.raises(InvalidVocabulary, match=f"end='{wrong}' is no special token.*<eos>, <pad>"):
            read(tmp_path, sentencepiece({"a": 9}, *names), end=wrong)
    assert Vocabulary.from_tokens([b"a"]).end is None


def test_special_ids_must_be_free_ids():
    buffer, offsets = BYTES.buffer, BYTES.offsets
    for index in (-1, 65, 256):
        with pytest.raises(InvalidVocabulary, match="no free id"):
            Vocabulary.from_arrays(buffer, offsets, {"<eos>": index})


def test_decoding_stops_at_the_end_token_and_skips_what_spells_nothing():
    vocabulary = Vocabulary.from_tokens([b"a", "<pad>", "<eos>", None, b"bc"])
    assert vocabulary.decode([0, 1, 3, 4, 2, 0]) == b"abc"


def test_without_a_file_a_text_is_encoded_byte_by_byte_or_refused():
    assert BYTES.encode("ß") == [0xC3, 0x9F]
    assert Vocabulary.from_tokens([b"ab", b"b", b"a", b"a"]).encode("ab") == [2, 1]
    with pytest.raises(InvalidVocabulary, match="no token of this vocabulary spells"):
        Vocabulary.from_tokens([b"a"]).encode("b")


def test_without_a_file_names_of_special_tokens_stand_for_them_where_that_is_asked_for():
    vocabulary = Vocabulary.from_tokens([b"a", b"<", b">", "<a>", "<a>>"])
    assert vocabulary.encode("a<a>") == [0, 1, 0, 2]
    assert vocabulary.encode("a<a><a>>", special=True) == [0, 3, 4]


@pytest.mark.parametrize("make", [sentencepiece, byte_level])
def test_a_text_never_becomes_a_special_token_and_markup_does(tmp_path, make):
    """Flagged or not; added tokens that are text keep the ids of their own."""
    space = {sentencepiece: "▁", byte_level: "Ġ"}[make]
    letters = {char: index for index, char in enumerate(sorted(set(f"{space}<>/|_masktbledoix0")))}
    first = len(letters)
    names = [added(first, "<eos>", special=True), added(first + 1, "<mask>"), added(first + 2, "<table>")]
    vocabulary = read(tmp_path, make(letters, *names))
    text = "<eos>a<mask><table>"
    assert vocabulary.special == {"<eos>": first, "<mask>": first + 1}
    assert vocabulary.encode(text, special=True) == [first, letters["a"], first + 1, first + 2]
    assert vocabulary.encode(text) == [*(letters[char] for char in "<eos>a<mask>"), first + 2]


def test_no_text_is_truncated_or_padded_whatever_the_file_says(tmp_path):
    limits = {
        "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None}
        | {"pad_id": 0, "pad_type_id": 0, "pad_token": "a"},
    }
    vocabulary = read(tmp_path, byte_level({"a": 0, "b": 1}) | limits)
    for special in (False, True):
        assert vocabulary.encode("abba", special=special) == [0, 1, 1, 0]


@given(st.lists(st.one_of(st.binary(max_size=4), st.just("<x>"), st.none()), max_size=30))
def test_the_trie_spells_every_token_on_the_way_to_its_node(tokens):
    vocabulary = Vocabulary.from_tokens(tokens)
    trie, paths, path = vocabulary.trie, {0: b""}, []
    for node in range(1, len(trie.symbol)):
        path = [*path[: trie.depth[node] - 1], int(trie.symbol[node])]
        paths[node] = bytes(path)
    assert [paths[node] for node in trie.node_of] == spellings(vocabulary)
    assert len(set(paths.values())) == len(paths)
    for node, end in enumerate(trie.end):
        below = [other for other, text in paths.items() if text.startswith(paths[node])]
        assert below == list(range(node, end))


def test_a_fingerprint_sees_spellings_ids_names_and_roles():
    tokens = [[b"a", b"b"], [b"b", b"a"], [b"ab", b""], [b"a", b"b", "<x>"], [b"a", b"b", "<eos>"]]
    vocabularies = [
        *map(Vocabulary.from_tokens, tokens),
        Vocabulary.from_tokens(tokens[4], end="<eos>", pad="<eos>"),
    ]
    prints = [vocabulary.fingerprint for vocabulary in vocabularies]
    assert len(set(prints)) == len(tokens)
    assert prints[-1] == prints[-2]


# The real ones

REAL = ("gemma3", "qwen3", "llama3")


def is_lossy(text: str) -> bool:
    return "\ufffd" in text


@pytest.mark.parametrize("name", REAL)
def test_ids_spell_what_the_tokenizers_library_decodes(name, real_vocabulary):
    vocabulary = real_vocabulary(name)
    reference = Tokenizer.from_file(str(vocabulary.source))
    assert vocabulary.size == reference.get_vocab_size()
    special = set(vocabulary.special.values())
    for index in random.Random(0).sample(range(vocabulary.size), 5000):
        decoded = reference.decode([index], skip_special_tokens=False)
        spelled = vocabulary.spelling(index)
        if index in special:
            assert spelled == b""
            assert reference.id_to_token(index) in vocabulary.special
        elif is_lossy(decoded) and not is_lossy(spelled.decode(errors="ignore")):
            with pytest.raises(UnicodeDecodeError):
                spelled.decode()
        else:
            assert spelled.decode() == decoded


@pytest.mark.parametrize("name", REAL)
def test_every_byte_is_some_token_so_every_text_can_be_spelled(name, real_vocabulary):
    vocabulary = real_vocabulary(name)
    assert {bytes([byte]) for byte in range(256)} <= set(spellings(vocabulary))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize("name", REAL)
@settings(max_examples=100)
@given(text=TEXT)
def test_decoding_what_was_encoded_gives_the_text_back(name, text, real_vocabulary):
    vocabulary = real_vocabulary(name)
    normal = {"gemma3": text.replace("▁", " "), "qwen3": unicodedata.normalize("NFC", text), "llama3": text}
    assert vocabulary.decode(vocabulary.encode(text)).decode() == normal[name]


@pytest.mark.parametrize("name", REAL)
def test_no_name_of_a_special_token_is_more_than_text_in_a_document(name, real_vocabulary):
    vocabulary = real_vocabulary(name)
    special = set(vocabulary.special.values())
    for token, index in vocabulary.special.items():
        for text in (token, f"a {token}{token}\n"):
            ids = vocabulary.encode(text)
            assert special.isdisjoint(ids), token
            assert vocabulary.decode(ids).decode() == text
        assert index in vocabulary.encode(f"a {token}", special=True)


@pytest.mark.parametrize("name", REAL)
def test_ordinary_text_has_the_ids_that_the_tokenizers_library_gives(name, real_vocabulary):
    vocabulary = real_vocabulary(name)
    reference = Tokenizer.from_file(str(vocabulary.source))
    for text in (
        "<table>  a\t\t</td>\n\n\nß €",
        "def f(x):\n        return x < y > z",
        "Total:  289.50 EUR 京都",
    ):
        expected = reference.encode(text, add_special_tokens=False).ids
        assert vocabulary.encode(text) == vocabulary.encode(text, special=True) == expected


def test_gemmas_reserved_ids_are_special_and_its_markup_and_white_space_are_text(real_vocabulary):
    vocabulary = real_vocabulary("gemma3")
    file = json.loads(vocabulary.source.read_bytes())
    names = {entry["content"]: entry["id"] for entry in file["added_tokens"]}
    unused = {name for name in names if name.startswith("<unused")}
    markers = {
        "<pad>",
        "<eos>",
        "<bos>",
        "<unk>",
        "<mask>",
        "[multimodal]",
        "<start_of_turn>",
        "<end_of_turn>",
    }
    images = {"<start_of_image>", "<end_of_image>", "<image_soft_token>"}
    assert set(vocabulary.special) == unused | markers | images
    assert len(vocabulary.special) == 6253
    assert len(names) == 6415
    for name in names.keys() - vocabulary.special.keys():
        assert vocabulary.spelling(names[name]) == name.replace("▁", " ").encode()
    assert vocabulary.spelling(names["<table>"]) == b"<table>"
    assert vocabulary.spelling(names["▁▁▁"]) == b"   "
    assert (vocabulary.end, vocabulary.pad) == ("<end_of_turn>", "<pad>")


@pytest.mark.parametrize(
    ("name", "roles"),
    [("qwen3", ("<|im_end|>", "<|endoftext|>")), ("llama3", ("<|eot_id|>", "<|end_of_text|>"))],
)
def test_every_added_token_of_qwen_and_llama_is_special(name, roles, real_vocabulary):
    vocabulary = real_vocabulary(name)
    file = json.loads(vocabulary.source.read_bytes())
    assert vocabulary.special == {entry["content"]: entry["id"] for entry in file["added_tokens"]}
    assert (vocabulary.end, vocabulary.pad) == roles
