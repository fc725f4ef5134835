"""XGrammar's compiler and matcher, over a constraint whose vocabulary has a token for each byte besides the given ones.

Texts are read by the tokens of single bytes, which follow the given ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch

import structgen as sg
from structgen.grammar import tokens_of
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.arrays import DEAD, NEVER
from xgrammar.grammar import Grammar, Written, reported

WORD = 32  # bits of one number of a mask


@dataclass(frozen=True)
class TokenizerInfo:
    """The tokens by id, and those that end a text."""

    tokens: Sequence[str | bytes]
    stop_token_ids: Sequence[int] = ()

    @property
    def vocab_size(self) -> int:
        """The number of ids."""
        return len(self.tokens)

    def spelled(self, token: int) -> bytes:
        """The bytes of a token."""
        text = self.tokens[token]
        return text if isinstance(text, bytes) else text.encode()

    def vocabulary(self, names: Sequence[str]) -> Vocabulary:
        """The ids, those called `names` being special, then one id for each byte."""
        single = [bytes([byte]) for byte in range(256)]
        ids = range(self.vocab_size)
        ours = [
            None
            if token in self.stop_token_ids
            else self.spelled(token).decode()
            if self.spelled(token).decode(errors="replace") in names
            else self.spelled(token)
            for token in ids
        ]
        return Vocabulary.from_tokens([*ours, *single])


@dataclass(frozen=True, eq=False)
class CompiledGrammar:
    """A grammar for some tokens."""

    grammar: Grammar
    tokenizer_info: TokenizerInfo

    @cached_property
    def constraint(self) -> sg.Constraint[Any]:
        """The constraint over the tokens and the bytes."""
        names = tokens_of(self.grammar.source.lower())
        with reported("Lark error at "):
            return sg.compile(self.grammar.source, self.tokenizer_info.vocabulary(names))


@dataclass(frozen=True)
class GrammarCompiler:
    """A compiler for some tokens."""

    tokenizer_info: TokenizerInfo
    max_threads: int = 1
    cache_enabled: bool = True

    def compile_grammar(self, grammar: Grammar | str, root_rule_name: str = "root") -> CompiledGrammar:
        """Compile a grammar, or one in EBNF."""
        written = Grammar.from_ebnf(grammar, root_rule_name) if isinstance(grammar, str) else grammar
        compiled = CompiledGrammar(written, self.tokenizer_info)
        _ = compiled.constraint
        return compiled

    def compile_structural_tag(self, tag: Any) -> CompiledGrammar:
        """Compile a structural tag, in which tokens may be named by their text."""
        tokens = range(self.tokenizer_info.vocab_size)
        special = {self.tokenizer_info.spelled(token).decode(errors="replace"): token for token in tokens}
        compiled = CompiledGrammar(Grammar.from_structural_tag(tag, special=special), self.tokenizer_info)
        _ = compiled.constraint
        return compiled

    def compile_lark(self, text: str, *, named_grammars: Any = None) -> CompiledGrammar:
        """Compile a grammar in Lark's notation."""
        return self.compile_grammar(
            Grammar.from_lark(text, named_grammars=named_grammars, tokenizer_info=self.tokenizer_info)
        )

    def compile_regex(self, pattern: str) -> CompiledGrammar:
        """Compile a regular expression."""
        return self.compile_grammar(Grammar.from_regex(pattern))


@dataclass(eq=False)
class GrammarMatcher:
    """A text that is written token by token. steps: the state and the bytes after each token."""

    compiled: CompiledGrammar
    terminate_without_stop_token: bool = False
    steps: list[tuple[int, bytes]] = field(default_factory=list)
    stopped: bool = False

    @property
    def _automaton(self) -> Any:
        return self.compiled.constraint.automaton

    @property
    def _state(self) -> int:
        return self.steps[-1][0] if self.steps else self._automaton.start

    @property
    def _text(self) -> bytes:
        return self.steps[-1][1] if self.steps else b""

    def _after(self, ids: list[int]) -> int:
        """The state after more tokens; DEAD if the text can no longer be completed."""
        state = self._automaton.run(ids, self._state)
        alive = state != DEAD and (
            self._automaton.is_accepting(state) or self._automaton.enough(state) < NEVER
        )
        return state if alive else DEAD

    def accept_string(self, text: str | bytes, debug_print: bool = False) -> bool:
        """Read a text, if all of it may follow."""
        spelled = text.encode() if isinstance(text, str) else text
        size = self.compiled.tokenizer_info.vocab_size
        return self._go(self._after([size + byte for byte in spelled]), spelled)

    def accept_token(self, token: int, debug_print: bool = False) -> bool:
        """Read a token, if it may follow."""
        info = self.compiled.tokenizer_info
        if token in info.stop_token_ids:
            self.stopped = self.stopped or self.is_completed()
            return self.stopped
        return self._go(self._after([token]), info.spelled(token))

    def _go(self, state: int, more: bytes) -> bool:
        if state == DEAD:
            return False
        self.steps.append((state, self._text + more))
        return True

    def is_completed(self) -> bool:
        """Whether the text may end here."""
        return self._automaton.is_accepting(self._state)

    def is_terminated(self) -> bool:
        """Whether the text has ended."""
        return self.is_completed() if self.terminate_without_stop_token else self.stopped

    def fill_next_token_bitmask(self, bitmask: torch.Tensor, index: int = 0) -> bool:
        """Write which tokens may follow."""
        info = self.compiled.tokenizer_info
        allowed = [
            self.is_completed() if token in info.stop_token_ids else self._after([token]) != DEAD
            for token in range(info.vocab_size)
        ]
        bitmask[index] = 0
        for token, may in enumerate(allowed):
            if may:
                bit = 1 << token % WORD
                bitmask[index, token // WORD] |= bit - (1 << WORD if bit >> (WORD - 1) else 0)
        return not all(allowed)

    def get_captures(self, *, deduplicate: bool = True) -> list[tuple[str, bytes]]:
        """The captures of a finished text, in the order in which they end."""
        source = self.compiled.grammar.source
        if not isinstance(source, Written) or source.lark is None or not self.is_completed():
            return []
        return [(name, one.text.encode()) for name, one in source.lark.captured(self._text.decode())]

    def rollback(self, count: int = 1) -> None:
        """Take back tokens."""
        del self.steps[len(self.steps) - count :]

    def reset(self) -> None:
        """Begin again."""
        self.steps.clear()
        self.stopped = False

    def fork(self) -> GrammarMatcher:
        """A copy."""
        return GrammarMatcher(
            self.compiled, self.terminate_without_stop_token, list(self.steps), self.stopped
        )


def allocate_token_bitmask(rows: int, size: int) -> torch.Tensor:
    """A mask that allows nothing."""
    return torch.zeros((rows, (size + WORD - 1) // WORD), dtype=torch.int32)
