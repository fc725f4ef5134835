"""The grammars of replies: calls and answers as JSON, or in the form of a family of models."""

from __future__ import annotations

import json
from collections.abc import Sequence

from structgen.grammar import Expr, Grammar, Rewriting, alt, literal, ref, separated, seq

from ..json_schema.style import Style
from .forms import CallForm

Counts = tuple[int, int] | None  # the least and the most number of parallel calls


def json_calls(named: Sequence[tuple[str, Grammar]], counts: Counts, style: Style) -> Grammar:
    """Calls as JSON objects, in an array if there may be several; named: the name and the arguments of each tool."""
    rules: dict[str, Expr] = {}
    calls = alt(*(_json_call(name, shared(rules, i, one), style) for i, (name, one) in enumerate(named)))
    if counts:
        many = separated(calls, style.comma, *counts)
        calls = seq(literal("["), style.gap, many, style.gap, literal("]"))
    return Grammar(calls, rules)


def form_calls(named: Sequence[tuple[str, Grammar]], counts: Counts, form: CallForm, marked: bool) -> Grammar:
    """Calls in a form, one after the other."""
    rules: dict[str, Expr] = {}
    calls = alt(*(form.call(i, name, shared(rules, i, one), marked) for i, (name, one) in enumerate(named)))
    return Grammar(separated(calls, form.between, *(counts or (1, 1))), rules, markup=form.markup)


def shared(rules: dict[str, Expr], index: int, grammar: Grammar) -> Expr:
    """The start of a tool's arguments, with its rules added to `rules`, renamed if necessary."""
    names: dict[str, str] = {}
    if any(rules.get(name, rule) is not rule for name, rule in grammar.rules.items()):
        names = {name: f"tool {index} {name}" for name in grammar.rules}
    renamed = Rewriting({ref(old): ref(new) for old, new in names.items()})
    rules |= {names.get(name, name): renamed(rule) for name, rule in grammar.rules.items()}
    return renamed(grammar.start)


def _json_call(name: str, arguments: Expr, style: Style) -> Expr:
    """The texts of one call."""
    quoted = json.dumps(name, ensure_ascii=False)
    named = seq(literal("{"), style.gap, literal('"name"'), style.colon, literal(quoted), style.comma)
    return seq(named, literal('"arguments"'), style.colon, arguments, style.gap, literal("}"))
