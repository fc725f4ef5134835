"""Tools as a source: calls as JSON `{"name": …, "arguments": {…}}`, and their reading.

The arguments of each tool are a separate source: pydantic checks those of a function, and the JSON Schema those of a
definition. A reply is one of

    {"name": "book", "arguments": {…}}      one call; with several tools, one of them
    [{"name": …}, …]                        with `parallel`: 1 to 8 calls
    {"answer": "…"}                         if the choice is "auto" or "none": a reply in words, never a tool's name
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from structgen.errors import InvalidOption, InvalidSource, Rejected
from structgen.grammar import NOTHING, SLACK, Grammar, alt, seq, spelled_out
from structgen.surface import option

from ..canonical import canonical
from ..json_schema import JsonSchema, Terms
from ..outline import Field, Outline
from ..reading import json_value
from .check import CallsCheck, FormCheck
from .choice import ToolChoice, read_choice
from .forms import JSON_FORM, CallForm, form_of
from .forms.form import marks_of
from .forms.reading import Said, said
from .grammars import form_calls, json_calls
from .reply import Call, Reply
from .schemas import call_schema
from .tool import Tool, as_tool

if TYPE_CHECKING:
    from structgen.automata.pushdown.automaton import Pushdown

MOST_CALLS = 8
MOST_ASKED = 64  # of min_calls and max_calls
ANSWER_OUTLINE = Outline.of_fields([Field("answer", Outline("string"))])


@dataclass(frozen=True, eq=False)
class Tools:
    """A source of texts that call tools or answer in words; parsing returns a Reply.

    tools: functions, classes that pydantic reads, or definitions of OpenAI's APIs, of Anthropic's or of MCP
    tool_choice: "auto" calls or answers, "required" calls, "none" answers, the name of a tool calls it; or as OpenAI's
        API has it, also {"type": "allowed_tools", …}
    parallel: several calls instead of a single one, min_calls (1) to max_calls (8), which imply it, as `distinct` does
    distinct: whether no two calls may be equal: if a draw repeats one, the calls before it stay, and the rest is drawn
        again from all outputs that go on with another call; terms: the options of the tools' arguments
    form: how calls are written: "json", or as a family of models does: "gemma", "harmony", "hermes", "qwen_xml"
    """

    tools: Sequence[Any]
    tool_choice: Any = "auto"
    parallel: bool | None = None
    terms: Terms = field(default_factory=Terms)
    _: KW_ONLY
    min_calls: int | None = None
    max_calls: int | None = None
    distinct: bool = False
    form: str = JSON_FORM

    def __post_init__(self) -> None:
        if isinstance(self.tools, str | Mapping) or not isinstance(self.tools, Sequence):
            raise InvalidSource(f"tools are a list, not {type(self.tools).__name__}")
        tools = tuple(as_tool(given, index, self.terms) for index, given in enumerate(self.tools))
        names = [tool.name for tool in tools]
        twice = [name for index, name in enumerate(names) if name in names[:index]]
        if twice:
            raise InvalidSource(f"two tools are named {twice[0]!r}: give each a name of its own")
        object.__setattr__(self, "tools", tools)
        if not tools and self.choice.mode != "none":
            raise InvalidSource(
                f"there is no tool to call: give at least one, or {option('tool_choice', 'none')}"
            )
        _ = self.choice, self.counts, self._form

    @cached_property
    def choice(self) -> ToolChoice:
        """What `tool_choice` says."""
        return read_choice(self.tool_choice, [tool.name for tool in self.tools])

    @cached_property
    def counts(self) -> tuple[int, int] | None:
        """The least and the most number of parallel calls; None for a single call."""
        bounds = [bound for bound in (self.min_calls, self.max_calls) if bound is not None]
        for name, bound in (("min_calls", self.min_calls), ("max_calls", self.max_calls)):
            if bound is not None and (type(bound) is not int or not 1 <= bound <= MOST_ASKED):
                raise InvalidOption(
                    f"{name} must be a whole number from 1 to {MOST_ASKED}, not {bound!r:.80}"
                )
        low = self.min_calls or 1
        high = self.max_calls or max(MOST_CALLS, low)
        if low > high:
            raise InvalidOption(f"min_calls is {low}, which is more than max_calls, {high}")
        if self.parallel is False:
            if max(bounds, default=1) > 1:
                raise InvalidOption(f"{max(bounds)} calls need {option('parallel', True)}, and it is false")
            return None
        return (low, high) if self.parallel or bounds or self.distinct else None

    @cached_property
    def _form(self) -> CallForm | None:
        return form_of(self.form)

    @property
    def answers(self) -> bool:
        """Whether a reply in words is allowed."""
        return self.choice.mode != "required"

    @cached_property
    def callable(self) -> tuple[Tool, ...]:
        """The tools that the choice lets the model call."""
        return tuple(tool for tool in self.tools if self.choice.allows(tool.name))

    @cached_property
    def alternatives(self) -> tuple[dict[str, Any], ...]:
        """The JSON Schema of each kind of reply: every tool and the answer; with `parallel` all calls are one kind."""
        return tuple(self._kinds(""))

    @cached_property
    def outlines(self) -> tuple[Outline, ...]:
        """The outline of each alternative."""
        calls = [_call_outline(tool) for tool in self.callable]
        if self.counts and calls:
            item = calls[0] if len(calls) == 1 else Outline("union", options=tuple(calls))
            calls = [Outline("array", item=item, least=self.counts[0], most=self.counts[1])]
        return (*calls, *([ANSWER_OUTLINE] if self.answers else []))

    def outline(self) -> Outline:
        """The outline of all replies."""
        return self.outlines[0] if len(self.outlines) == 1 else Outline("union", options=self.outlines)

    @property
    def openings(self) -> tuple[str, ...]:
        """The beginnings of the replies of each alternative, without white space, long enough to distinguish them."""
        calls = [f'{{"name":{json.dumps(tool.name, ensure_ascii=False)}' for tool in self.callable]
        if self.counts and calls:
            calls = ["["]
        return (*calls, *(['{"answer"'] if self.answers else []))

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of all replies."""
        if len(self.alternatives) == 1:
            return self.alternatives[0]
        return {"anyOf": list(self._kinds("/anyOf/{}"))}

    def _kinds(self, at: str) -> Iterator[dict[str, Any]]:
        """The alternatives; number i is placed at the JSON pointer `at` with i in place of {}."""
        calls = self.callable
        if not self.counts:
            yield from (call_schema(tool, at.format(index)) for index, tool in enumerate(calls))
        elif len(calls) == 1:
            yield self._calls_schema(call_schema(calls[0], f"{at.format(0)}/items"))
        elif calls:
            several = [call_schema(tool, f"{at.format(0)}/items/anyOf/{i}") for i, tool in enumerate(calls)]
            yield self._calls_schema({"anyOf": several})
        if self.answers:
            yield self._answer

    def _calls_schema(self, items: dict[str, Any]) -> dict[str, Any]:
        low, high = self.counts or (1, 1)
        schema = {"type": "array", "items": items, "minItems": low, "maxItems": high}
        return {**schema, "uniqueItems": True} if self.distinct else schema

    @property
    def _answer(self) -> dict[str, Any]:
        """The schema of an answer, which is never the name of a tool."""
        names = [tool.name for tool in self.tools]
        said = {"type": "string", "not": {"enum": names}} if names else {"type": "string"}
        return {
            "type": "object",
            "properties": {"answer": said},
            "required": ["answer"],
            "additionalProperties": False,
        }

    def lower(self) -> Grammar:
        """The replies, as a grammar. Raises Unsupported with the tool's name and the pointer of the cause."""
        if self._form is not None:
            return self._formed(self._form)
        return self._replies([tool.lower() for tool in self.callable])

    def canonical(self, text: str) -> str | None:
        """The JSON text with its strings and numbers spelled as they are generated; None if the text is malformed."""
        return canonical(text) if self._form is None else text

    def reading(self) -> Grammar:
        """The replies in canonical spelling, with arguments as their sources read them."""
        if self._form is not None:
            return self._formed(self._form)
        return self._replies([tool.reading() for tool in self.callable], reading=True)

    def _replies(self, arguments: Sequence[Grammar], *, reading: bool = False) -> Grammar:
        """The replies as JSON, given the texts of each tool's arguments."""
        named = [(tool.name, grammar) for tool, grammar in zip(self.callable, arguments, strict=True)]
        checks = {name: grammar.check for name, grammar in named if grammar.check is not None}
        style = self.terms.style.for_reading() if reading else self.terms.style
        calls = json_calls(named, self.counts, style)
        answer = NOTHING
        if self.answers:
            answered = JsonSchema(self._answer, self.terms.whitespace)
            answer = (answered.reading() if reading else answered.lower()).start
        start = seq(alt(calls.start, answer) if named else answer, SLACK)
        return Grammar(
            start, calls.rules, CallsCheck(checks, self.distinct) if checks or self.distinct else None
        )

    def _formed(self, form: CallForm, marked: bool = False) -> Grammar:
        """The replies in a form of a family of models, with or without marks."""
        spelling = form.spelling(marked)
        named = [(tool.name, tool.lower(spelling)) for tool in self.callable]
        calls = form_calls(named, self.counts, form, marked)
        answer = form.answer([tool.name for tool in self.tools], marked) if self.answers else NOTHING
        start = seq(alt(calls.start, answer) if named else answer, SLACK)
        return Grammar(start, calls.rules, self._form_check(form, named), form.markup)

    def _form_check(self, form: CallForm, named: Sequence[tuple[str, Grammar]]) -> FormCheck | None:
        """The check of calls in a form; None if the automaton decides everything."""
        names, checks = [name for name, _ in named], [grammar.check for _, grammar in named]
        if not self.distinct and not any(checks):
            return None
        return FormCheck(form, lambda text: self._parts(form, text), names, checks, self.distinct)

    def parse(self, text: str) -> Reply:
        """The calls or the answer in the text; arguments are validated.

        Raises Rejected if the text is neither, or if a validator rejects the arguments.
        """
        if self._form is not None:
            return self._said(self._form, text)
        value = json_value(text)
        if isinstance(value, Mapping) and "answer" in value:
            return Reply(answer=value["answer"])
        calls = tuple(self._read(one) for one in (value if isinstance(value, list) else [value]))
        return Reply(calls).identified("")

    def _said(self, form: CallForm, text: str) -> Reply:
        """The reply in a text of a form."""
        parts = self._parts(form, text)
        if parts and parts[0].tool < 0:
            return Reply(answer=parts[0].part.text)
        return Reply(tuple(call_of(self.callable[one.tool], one.part.json) for one in parts)).identified("")

    def _parts(self, form: CallForm, text: str) -> Sequence[Said]:
        """The calls or the answer in a text of a form, found by the automaton of the form with marks."""
        from structgen.automata.pushdown.marked import marked

        marks = marked(self._marked, text.encode(errors="surrogatepass"))
        if marks is None:
            raise _calls_nothing(text)
        return list(said(form, text, marks))

    @cached_property
    def _marked(self) -> Pushdown:
        """The automaton of replies in the form, with marks around their parts."""
        from structgen.automata.pushdown.automaton import pushdown  # numba takes a moment to import

        assert self._form is not None
        grammar = spelled_out(self._formed(self._form, marked=True), ())
        return pushdown(grammar, marks_of(len(self.callable)))

    def _read(self, value: Any) -> Call:
        name = value.get("name") if isinstance(value, Mapping) and "arguments" in value else None
        tool = next((tool for tool in self.callable if tool.name == name), None)
        if tool is None:
            raise _calls_nothing(json.dumps(value, ensure_ascii=False))
        arguments = json.dumps(value["arguments"], ensure_ascii=False)
        return call_of(tool, arguments)


def _calls_nothing(text: str) -> Rejected:
    return Rejected(f"this calls no tool that may be called: the output was {text}", text=text)


def call_of(tool: Tool, arguments: str) -> Call:
    """The call of a tool with these arguments, a JSON text. Raises Rejected if a validator rejects them."""
    value = tool.read(arguments)
    return Call(tool.name, value, tool, text=value if tool.custom else arguments)


def _call_outline(tool: Tool) -> Outline:
    """The outline of one call of the tool."""
    name = Field("name", Outline.of_constants("const", [tool.name]))
    return Outline.of_fields([name, Field("arguments", tool.arguments.outline())])
