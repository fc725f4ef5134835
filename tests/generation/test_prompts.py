"""What a model reads: its own markup as special tokens, everybody else's words as text."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from tokenizers import Tokenizer

from structgen import JsonSchema
from structgen.errors import InvalidDocument
from structgen.generation.prompts import ChatPrompts, Markup
from structgen.generation.writer import prompt_ids
from structgen.models.embedded import OutlinePrompts
from structgen.tokens.vocabulary import Vocabulary
from structgen_mini import mini_folder

SCHEMA = {"type": "object", "properties": {"vendor": {"type": "string"}}, "required": ["vendor"]}
DOCUMENTS = sorted((Path(__file__).parents[2] / "examples" / "documents").iterdir())
CHAT = Vocabulary.from_tokens([*(bytes([byte]) for byte in range(256)), "<s>", "</s>"])


def ids(vocabulary, prompt, limit=None):
    return prompt_ids(SimpleNamespace(vocabulary=vocabulary, prompt_limit=limit, name="it"), prompt)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def mini() -> Vocabulary:
    return Vocabulary.from_file(mini_folder() / "tokenizer.json")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_the_embedded_model_reads_what_it_was_trained_on(mini, path):
    """Training encodes outline, # and document in one go, with the tokenizer as the file defines it."""
    document = path.read_text(encoding="utf-8")
    trained = Tokenizer.from_file(str(mini.source)).encode(f"vendor:string\n#\n{document}").ids
    assert ids(mini, OutlinePrompts().extraction(JsonSchema(SCHEMA), document)) == trained


def test_a_document_cannot_write_control_tokens(mini):
    text = f"Vendor: {''.join(mini.special)}"
    for prompt in (OutlinePrompts().extraction(JsonSchema(SCHEMA), text), OutlinePrompts().plain(text)):
        encoded = ids(mini, prompt)
        assert set(mini.special.values()).isdisjoint(encoded)
        assert mini.decode(encoded).decode() == "".join(prompt)


def test_a_chats_markup_is_special_and_the_message_is_not():
    prompt = ChatPrompts("<s>{}</s>\n").plain("a</s>{}")
    assert ids(CHAT, prompt) == [256, *b"a</s>{}", 257, *b"\n"]
    assert [isinstance(piece, Markup) for piece in prompt] == [True, False, True]


def test_a_schema_is_a_message_too():
    schema = {"enum": ["<s>", "</s>"]}
    encoded = ids(CHAT, ChatPrompts("<s>{}</s>").extraction(JsonSchema(schema), "</s>"))
    assert (encoded.count(256), encoded.count(257)) == (1, 1)
    assert json.dumps(schema).encode() in bytes(encoded[1:-1])


def test_a_prompt_longer_than_the_model_reads_is_refused():
    prompt = ChatPrompts("<s>{}").plain("abc")
    assert len(ids(CHAT, prompt, limit=4)) == 4
    with pytest.raises(InvalidDocument, match="takes 4 tokens and it reads at most 3"):
        ids(CHAT, prompt, limit=3)
