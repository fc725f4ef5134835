"""Engines that compile JSON Schemas for a tokenizer, behind one interface: ours, and those that are installed.

Each is asked to compile a schema until it is ready to step, and then whether it accepts a text. Peers are optional:
`pip install llguidance xgrammar outlines-core`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

Accepts = Callable[[str], bool]


class Engine(Protocol):
    """Made once for a tokenizer; `compile` may raise, which counts as a refusal."""

    def compile(self, schema: Any) -> Accepts:
        """A schema ready to step, as a test of texts."""
        ...


class Structgen:
    """This project, in whichever regime a schema takes."""

    def __init__(self, tokenizer: Path):
        from structgen.tokens.vocabulary import Vocabulary

        self.vocabulary = Vocabulary.from_file(tokenizer)
        _ = self.vocabulary.trie
        self.compile({"type": "object", "additionalProperties": {"pattern": "^a", "not": {"const": "ab"}}})

    def compile(self, schema: Any) -> Accepts:
        """Silence allows everything and unknown words are annotations, as JSON Schema has it."""
        import structgen

        source = structgen.JsonSchema(schema, additional="open", unknown="annotations")
        return structgen.compile(source, self.vocabulary).accepts


class LlGuidance:
    """llguidance, strict: what it does not know it refuses."""

    def __init__(self, tokenizer: Path):
        import llguidance

        self.engine, self.tokenizer = llguidance, llguidance.LLTokenizer(str(tokenizer))

    def compile(self, schema: Any) -> Accepts:
        """Ready once the first mask could be computed."""
        matcher = self.engine.LLMatcher
        compiled = matcher(self.tokenizer, matcher.grammar_from_json_schema(json.dumps(schema)), log_level=0)
        if compiled.is_error():
            raise ValueError(compiled.get_error())

        def accepts(text: str) -> bool:
            run, ids = compiled.deep_copy(), self.tokenizer.tokenize_str(text)
            return run.try_consume_tokens(ids) == len(ids) and (run.is_accepting() or run.is_stopped())

        return accepts


class XGrammar:
    """xgrammar, with any white space and additional properties as JSON Schema has them."""

    def __init__(self, tokenizer: Path):
        import xgrammar

        self.engine = xgrammar
        vocabulary = xgrammar.TokenizerInfo(_spellings(tokenizer))
        self.compiler = xgrammar.GrammarCompiler(vocabulary, max_threads=1)

    def compile(self, schema: Any) -> Accepts:
        """One thread, as everyone here."""
        compiled = self.compiler.compile_json_schema(json.dumps(schema), strict_mode=False)

        def accepts(text: str) -> bool:
            run = self.engine.GrammarMatcher(compiled, terminate_without_stop_token=True)
            return run.accept_string(text) and run.is_terminated()

        return accepts


class OutlinesCore:
    """outlines-core: a regular expression, and an index of it over the vocabulary."""

    def __init__(self, tokenizer: Path):
        import outlines_core

        spelled: dict[bytes, list[int]] = {}
        spellings = _spellings(tokenizer)
        for number, spelling in enumerate(spellings):
            if spelling:
                spelled.setdefault(spelling, []).append(number)
        self.engine = outlines_core
        self.vocabulary = outlines_core.Vocabulary(len(spellings), spelled)

    def compile(self, schema: Any) -> Accepts:
        """The index is what it steps on."""
        import re

        from outlines_core.json_schema import build_regex_from_schema

        pattern = build_regex_from_schema(json.dumps(schema))
        self.engine.Index(pattern, self.vocabulary)
        return lambda text: re.fullmatch(pattern, text) is not None


def _spellings(tokenizer: Path) -> list[bytes]:
    """What each token spells; special tokens spell nothing."""
    from structgen.tokens.vocabulary import Vocabulary

    vocabulary = Vocabulary.from_file(tokenizer)
    buffer, offsets = bytes(vocabulary.buffer), vocabulary.offsets.tolist()
    return [buffer[low:high] for low, high in pairwise(offsets)]


ENGINES: Mapping[str, tuple[str, type[Any]]] = {
    "structgen": ("structgen", Structgen),
    "llguidance": ("llguidance", LlGuidance),
    "xgrammar": ("xgrammar", XGrammar),
    "outlines-core": ("outlines_core", OutlinesCore),
}


def installed() -> list[str]:
    """The engines that can be run here."""
    return [name for name, (package, _) in ENGINES.items() if find_spec(package) is not None]
