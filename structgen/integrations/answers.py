"""The vocabulary of a host's model, and the value of the ids that it generated."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from structgen.cache import cache_folder
from structgen.compiler.constraint import Constraint
from structgen.errors import InvalidVocabulary
from structgen.tokens.vocabulary import Vocabulary

T = TypeVar("T")


def vocabulary_of(model: Any, tokenizer: Any, *, thinking: bool = False) -> Vocabulary:
    """The vocabulary of this model, with the thought that precedes its answers.

    tokenizer: a fast tokenizer or processor of transformers, or the path of a tokenizer.json. Some published chat
        templates put an empty thought into the prompt; if this tokenizer's template does, answers have none
    thinking: whether a thought may precede the answer; the prompt must then ask for it too
    """
    vocabulary = spelled_by(tokenizer, model.config.text_config.vocab_size)
    return vocabulary.prefaced(prompt_of(tokenizer, thinking), thinking=thinking)


def spelled_by(tokenizer: Any, size: int) -> Vocabulary:
    """The vocabulary of the ids below `size`; tokenizer as in `vocabulary_of`."""
    path = tokenizer if isinstance(tokenizer, str | Path) else _written(tokenizer)
    return Vocabulary.from_file(path).narrowed(size)


def prompt_of(tokenizer: Any, thinking: bool) -> str:
    """The text before an answer according to the tokenizer's chat template; empty if it has none."""
    if getattr(tokenizer, "chat_template", None) is None:
        return ""
    turn = [{"role": "user", "content": "?"}]
    return tokenizer.apply_chat_template(
        turn, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
    )


def read(constraint: Constraint[T], ids: Tensor | Sequence[int]) -> T:
    """The value of generated ids [T], without the prompt."""
    spelled = constraint.vocabulary.decode(ids.tolist() if isinstance(ids, Tensor) else ids)
    return constraint.parse(spelled.decode())


def _written(tokenizer: Any) -> Path:
    """The tokenizer.json of a fast tokenizer, written to the cache folder once."""
    backend = getattr(getattr(tokenizer, "tokenizer", tokenizer), "backend_tokenizer", None)
    if backend is None:
        raise InvalidVocabulary(
            f"a fast tokenizer is needed, or the path of a tokenizer.json, not {type(tokenizer).__name__}"
        )
    content = backend.to_str().encode()
    key = hashlib.blake2b(content, digest_size=16).hexdigest()
    path = (cache_folder() or Path(tempfile.mkdtemp())) / "tokenizer" / key / "tokenizer.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_bytes(content)
        draft.replace(path)
    return path
