"""Requests that a tool call answers, {"name": …, "arguments": {…}}, and pure choices, {"choice": …}.

One tool is an object whose name is constant; several are an anyOf of such objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from training.drawing import fresh
from training.genres import keys_of
from training.page import NAME_SHARE, Field, Page, cell, expand
from training.samples import Fragment, Member, Sample, capital, flatten, object_of, stacked
from training.scalars import joined, many_of
from training.tools import QUESTIONS, TOOLS, VERBS, Parameter, Tool
from training.values import write
from training.wording import BOOLEANS

REQUESTS = [
    "{verb} {thing} {rest}", "please {verb} {thing} {rest}", "can you {verb} {thing} {rest}?",
    "could you {verb} {thing} {rest}, please?", "I'd like to {verb} {thing} {rest}", "I want to {verb} {thing} {rest}",
    "I need to {verb} {thing} {rest}", "help me {verb} {thing} {rest}", "hi, {verb} {thing} {rest}",
    "hey, could you {verb} {thing} {rest}?", "{rest}: {verb} {thing}", "let's {verb} {thing} {rest}",
    "would you {verb} {thing} {rest}?", "we have to {verb} {thing} {rest}", "{verb} {thing}, {rest}",
    "my boss asked me to {verb} {thing} {rest}", "is it possible to {verb} {thing} {rest}?",
    "now {verb} {thing} {rest}", "it's time to {verb} {thing} {rest}",
    "go ahead and {verb} {thing} {rest}", "{verb} {thing} for me {rest}",
]  # fmt: skip
SMALL_TALK = [
    "Thanks!", "Thank you in advance.", "Hello!", "Hi there.", "Sorry to bother you.", "It's quite important to me.",
    "I hope you are well.", "Let me know when it's done.", "That's all.", "No rush.", "Cheers",
]  # fmt: skip
TOOL_NAMES = ["{verb}_{noun}"] * 7 + ["{noun}_{verb}", "{noun}.{verb}", "{verb}-{noun}", "camel"]

PARAMETER_CASINGS = ["snake"] * 8 + ["camel"] * 3 + ["pascal", "kebab"]
NO_ARGUMENTS: tuple[dict[str, Any], dict[str, Any]] = (
    {"type": "object", "properties": {}, "required": []},
    {},
)
JOINTS = [" ", " ", " ", ", ", ", ", " and "]
ALIKE = ("find", "search", "get", "check", "list", "calculate")  # verbs that people word alike


def make_call(page: Page) -> Sample:
    """A request and one to four tools, one of which it asks for."""
    rng = page.rng
    tool = _tool(page)
    casing = rng.choice(TOOL_NAMES)
    page.casing = rng.choice(PARAMETER_CASINGS)
    schema, arguments, fragment = _asked(page, tool)
    name = _named(tool, casing)
    request, spans = flatten(fragment)
    value = {"name": name, "arguments": arguments}
    tools = {name: _call_of(name, schema)}
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        other = _distractor(page, tool)
        tools.setdefault(_named(other, casing), _call_of(_named(other, casing), _offered(page, other)))
    offered = list(tools.values())
    rng.shuffle(offered)
    return Sample(offered[0] if len(offered) == 1 else {"anyOf": offered}, request, value, spans)


def make_choice(page: Page) -> Sample:
    """A text and the options that it may belong to."""
    rng = page.rng
    known = QUESTIONS[rng.choice(list(QUESTIONS))]
    options = rng.sample(list(known), rng.randint(2, min(5, len(known))))
    right = rng.choice(options)
    texts = page.allowed(known[right])
    chosen = rng.sample(texts, min(len(texts), rng.choice([1, 1, 2])))
    text = ". ".join(one[0].upper() + one[1:] for one in chosen)
    spell = rng.choice([str, str, str.capitalize, str.upper])
    schema, value = object_of(
        [Member("choice", {"type": "string", "enum": [spell(one) for one in options]}, spell(right))]
    )
    if page.chance(0.3):
        text = f"{rng.choice(SMALL_TALK)} {text}"
    return Sample(schema, text, value, ())


def _tool(page: Page) -> Tool:
    """A tool on the page's side of the split, with a parameter that has a name on that side."""
    while True:
        tool = page.rng.choice(TOOLS)
        if page.strictly([f"{tool.verb}_{tool.noun}"], NAME_SHARE) and (
            _nameable(page, tool) or not tool.thing.parameters
        ):
            return tool


def _nameable(page: Page, tool: Tool) -> list[Parameter]:
    return [one for one in tool.thing.parameters if page.strictly(one.names, NAME_SHARE)]


def _distractor(page: Page, tool: Tool) -> Tool:
    """Any other tool, or the same thing with another verb."""
    if page.chance(0.4):
        verbs = [verb for verb in tool.thing.verbs if verb != tool.verb and verb not in ALIKE]
        if verbs:
            return Tool(page.rng.choice(verbs), tool.noun, tool.thing)
    while True:
        other = _tool(page)
        if other.thing is not tool.thing:
            return other


def _named(tool: Tool, casing: str) -> str:
    if casing == "camel":
        return tool.verb + "".join(part.capitalize() for part in tool.noun.split("_"))
    return casing.format(verb=tool.verb, noun=tool.noun)


def _call_of(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"const": name}, "arguments": arguments},
        "required": ["name", "arguments"],
    }


@dataclass(frozen=True)
class Argument:
    """A parameter with its value: as a member of the arguments, and as the request writes it."""

    member: Member
    value: Fragment
    phrase: Fragment


def _argument(page: Page, parameter: Parameter) -> Argument:
    """A value for a parameter and a phrase that tells it."""
    name = _parameter_name(page, parameter)
    head, _, kind = parameter.kind.partition(" ")
    if head == "many":
        column = Field(name, kind, name, fresh(page, kind, name), None)
        many = many_of(page, column, page.rng.choice([1, 2, 2, 3, 3, 4]))
        items = joined(page, many.under("/arguments").items)
        before, after = page.phrase(parameter.phrases).split("{v}")
        return Argument(many.member, items, [(before, None), *items, (after, None)])
    written = fresh(page, "bool" if head == "flag" else parameter.kind, name)
    one = Field(name, parameter.kind, name, written, f"/arguments/{name}")
    member = Member(name, written.schema, written.value)
    if head == "flag":
        told = expand(page.phrase(BOOLEANS[kind].clauses[written.value]), {"v": one})
        return Argument(member, told, told)
    return Argument(member, cell(one), expand(page.phrase(parameter.phrases), {"v": one}))


def _asked(page: Page, tool: Tool) -> tuple[dict[str, Any], dict[str, Any], Fragment]:
    """Schema and values of the arguments, and the request; one argument at least is told, where there are any."""
    page.used = set()
    fitting = tool.thing.questions if tool.verb == tool.thing.verbs[0] else []
    question = page.phrase(fitting) if fitting and page.chance(0.65) else None
    if not tool.thing.parameters:
        return *NO_ARGUMENTS, _request(page, tool, [], question)
    by_key = {parameter.names[0]: parameter for parameter in tool.thing.parameters}
    keys = keys_of(question) if question else ()
    if question and not all(page.strictly(by_key[key].names, NAME_SHARE) for key in keys):
        question, keys = None, ()
    told = [by_key[key] for key in dict.fromkeys(keys)]
    rest = [one for one in _some(page, tool) if one not in told]
    given = {id(one) for index, one in enumerate(rest) if not told and (index == 0 or page.chance(0.72))}
    members, phrases, values = [], [], {}
    for parameter in [*told, *rest]:
        argument = _argument(page, parameter)
        present = parameter in told or id(parameter) in given
        required = present and page.chance(0.7)
        members.append(replace(argument.member, required=required, present=present))
        values[parameter.names[0]] = argument.value
        if id(parameter) in given:
            phrases.append(argument.phrase)
    page.rng.shuffle(members)
    if question:
        return *object_of(members), _request(page, tool, [], _filled(question, values))
    return *object_of(members), _request(page, tool, phrases, None)


def _filled(question: str, values: dict[str, Fragment]) -> Fragment:
    """A question with its values."""
    fragment: Fragment = []
    for index, part in enumerate(re.split(r"\{(\w+)\}", question)):
        fragment += values[part] if index % 2 else [(part, None)]
    return [one for one in fragment if one[0]]


def _offered(page: Page, tool: Tool) -> dict[str, Any]:
    page.used = set()
    members = []
    for parameter in _some(page, tool):
        name = _parameter_name(page, parameter)
        head, _, kind = parameter.kind.partition(" ")
        kind = {"many": kind, "flag": "bool"}.get(head, parameter.kind)
        schema = write(kind, name, page.rng, page.pool, page.language).schema
        schema = {"type": "array", "items": schema} if head == "many" else schema
        members.append(Member(name, schema, None, page.chance(0.6)))
    return object_of(members)[0] if members else NO_ARGUMENTS[0]


def _some(page: Page, tool: Tool) -> list[Parameter]:
    known = _nameable(page, tool)
    return page.rng.sample(known, min(len(known), page.rng.choice([1, 2, 2, 3, 3, 4, 5])))


def _parameter_name(page: Page, parameter: Parameter) -> str:
    return page.take(page.strictly(parameter.names, NAME_SHARE)) or page.coined()


def _request(page: Page, tool: Tool, phrases: list[Fragment], question: Fragment | str | None) -> Fragment:
    """What the user says: a question of the tool's own, or a verb, a thing and phrases."""
    rng = page.rng
    if question is not None:
        request = capital(list(question) if isinstance(question, list) else [(question, None)])
    else:
        request = _worded(page, tool, phrases)
    if page.chance(0.15):
        request.insert(0, (f"{rng.choice(SMALL_TALK)} ", None))
    if page.chance(0.12):
        request.append((f" {rng.choice(SMALL_TALK)}", None))
    if page.chance(0.15):
        request.insert(0, ("User: ", None))
    return request


def _worded(page: Page, tool: Tool, phrases: list[Fragment]) -> Fragment:
    rng = page.rng
    rng.shuffle(phrases)
    rest = stacked(phrases, rng.choice(JOINTS))
    template = page.phrase(REQUESTS)
    spoken = rng.choice(page.allowed(tool.thing.spoken))
    template = template.replace("{verb}", rng.choice(page.allowed(VERBS[tool.verb])))
    before, after = template.replace("{thing}", spoken).split("{rest}")
    if not rest:
        before, after = before.rstrip(" ,"), after.lstrip(" ,:")
        after = f" {after}" if before and after[:1].isalpha() else after
    if page.chance(0.85):
        before = before[:1].upper() + before[1:]
    request: Fragment = [(before, None), *rest, (after, None)]
    if not after and page.chance(0.6):
        request.append((".", None))
    return request
