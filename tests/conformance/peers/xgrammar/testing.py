"""XGrammar's helpers for tests."""

from __future__ import annotations

from typing import Any, NoReturn

import torch

from structgen.grammar import Repeat
from xgrammar.grammar import Grammar
from xgrammar.matcher import WORD, GrammarCompiler, GrammarMatcher, TokenizerInfo

MOST_COPIES = 128  # of XGrammar's


def _get_matcher_from_grammar(grammar: Grammar | str, **options: Any) -> GrammarMatcher:
    return _get_matcher_from_grammar_and_tokenizer_info(grammar, TokenizerInfo([]), **options)


def _get_matcher_from_grammar_and_tokenizer_info(
    grammar: Grammar | str, tokenizer_info: TokenizerInfo, **options: Any
) -> GrammarMatcher:
    compiled = GrammarCompiler(tokenizer_info).compile_grammar(grammar)
    return GrammarMatcher(compiled, terminate_without_stop_token=True, **options)


def _is_grammar_accept_string(
    grammar: Grammar | str,
    input_str: str,
    *,
    debug_print: bool = False,
    print_time: bool = False,
    require_termination: bool = True,
) -> bool:
    matcher = _get_matcher_from_grammar(grammar)
    return matcher.accept_string(input_str) and (not require_termination or matcher.is_terminated())


def _get_masked_tokens_from_bitmask(bitmask: torch.Tensor, vocab_size: int, index: int = 0) -> list[int]:
    row = bitmask[index].tolist()
    return [token for token in range(vocab_size) if not row[token // WORD] >> token % WORD & 1]


def _ebnf_to_grammar_no_normalization(text: str, root_rule_name: str = "root") -> Grammar:
    return Grammar.from_ebnf(text, root_rule_name)


def _internal(*_: Any) -> NoReturn:
    raise NotImplementedError("private to XGrammar")


def _print_grammar_fsms(grammar: Grammar) -> str:
    """The repetitions of more than 128 copies, which XGrammar keeps as repetitions; the tests look for one."""
    lowered = grammar.source.lower()
    waiting, found = [lowered.start, *lowered.rules.values()], list[str]()
    while waiting:
        expr = waiting.pop()
        waiting += expr.children
        if isinstance(expr, Repeat) and max(expr.low, expr.high or 0) > MOST_COPIES:
            found.append(f"Repeat({expr.low}, {expr.high})")
    return "; ".join(found)


_json_schema_to_ebnf = _regex_to_ebnf = _internal
