"""The verb `call`: which tools a request needs, with their arguments; or an answer in words.

One grammar holds every call and the answer, so whatever is written is one of them. A model that fills scaffolds needs a
skeleton to fill, and which one it is is for the lattice to say: the model looks at the request once, with everything
still noise, and the sum over all replies that begin with a tool's name is the probability of that tool. The skeleton
of the likeliest is pinned, as a preference like every layout. A model too small for that choice says only whether a
tool is called at all; which one, the words of the request and of the tools' descriptions say (`Runtime.overlap`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from structgen.compiler.constraint import Constraint, compile
from structgen.errors import InvalidDocument
from structgen.generation.options import Options, check_text
from structgen.generation.prompts import Prompt
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import prompt_ids, refusing_overlong_steps
from structgen.kinds import nearness
from structgen.layout import Layout, first_layout, first_look
from structgen.scaffold import OPEN
from structgen.sources import Terms
from structgen.sources.tools import Reply, ToolCalls
from structgen.verbs.extract import fill_slots
from structgen_engine.automata.dfa import NEVER
from structgen_engine.decoding.row import needed


def call(
    runtime: Runtime,
    messages: str | Sequence[Mapping[str, Any]],
    tools: Sequence[Any],
    options: Options | None = None,
    *,
    tool_choice: str = "auto",
    parallel: bool = False,
    terms: Terms | None = None,
) -> Generation[Reply]:
    """The calls that the messages ask for.

    messages: a request, or messages with role and content; tools, tool_choice, parallel: as in ToolCalls
    Raises InvalidDocument where there is no request or a message is no text, and what `compile` raises.
    """
    request = conversation(messages)
    source = ToolCalls(tools, tool_choice, parallel, terms or Terms())
    constraint = compile(source, runtime.vocabulary)
    prompt, options = runtime.prompts.calls(source, request), options or Options()
    layout = _likeliest(runtime, prompt, request, constraint, source, options.seed)
    return fill_slots(runtime, prompt, request, constraint, layout, options)[0]


def conversation(messages: str | Sequence[Mapping[str, Any]]) -> str:
    """What the model reads of the messages: a single one as it is, several with their roles in front."""
    if isinstance(messages, str):
        check_text(messages, "request")
        if not messages.strip():
            raise InvalidDocument("the request is empty: there is nothing to call a tool for")
        return messages
    if not isinstance(messages, Sequence) or not messages:
        raise InvalidDocument("messages are a string or a list of at least one message")
    said = [(_role(message, at), _content(message, at)) for at, message in enumerate(messages)]
    if len(said) == 1:
        return conversation(said[0][1])
    return "\n".join(f"{role}: {content}" for role, content in said)


def _role(message: Any, at: int) -> str:
    role = message.get("role") if isinstance(message, Mapping) else None
    if not isinstance(role, str):
        raise InvalidDocument(f"message {at} is no object with a role and a content")
    return role


def _content(message: Mapping[str, Any], at: int) -> str:
    """The text of a message: its content, the text parts of it, or the calls that it makes instead."""
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, Mapping) for part in content):
        content = "\n".join(str(part.get("text")) if part.get("type") == "text" else "\0" for part in content)
    if content is None and message.get("tool_calls"):
        content = json.dumps(message["tool_calls"], ensure_ascii=False, default=str)
    if not isinstance(content, str) or "\0" in content:
        raise InvalidDocument(f"the content of message {at} is no text, and nothing else can be read")
    check_text(content, f"content of message {at}")
    return content


def _likeliest(
    runtime: Runtime,
    prompt: Prompt,
    request: str,
    constraint: Constraint[Reply],
    source: ToolCalls,
    seed: int,
) -> Layout | None:
    """The layout of the kind of reply that the first look finds likeliest; None where its skeleton does not fit."""
    if len(source.alternatives) == 1 or not runtime.scaffolds:
        return first_layout(runtime, source.alternatives[0])
    near = _nearness(runtime, request, source)
    if near is not None and not source.answers:
        weights = near
    else:
        weights = _weights(runtime, prompt, constraint, source, torch.Generator().manual_seed(seed))
        if near is not None:
            weights = torch.cat([weights[:-1].sum() * near, weights[-1:]])
    return first_layout(runtime, source.alternatives[int(weights.argmax())])


def _nearness(runtime: Runtime, request: str, source: ToolCalls) -> Tensor | None:
    """Probability [tools] of each tool, given that one is called, by how much of what describes it is in the request.

    None where the runtime's model decides by itself.
    """
    if runtime.overlap is None or source.parallel:
        return None
    return nearness(runtime.overlap, request, [f"{tool.name} {tool.description}" for tool in source.callable])


@refusing_overlong_steps()
def _weights(
    runtime: Runtime,
    prompt: Prompt,
    constraint: Constraint[Reply],
    source: ToolCalls,
    generator: torch.Generator,
) -> Tensor:
    """Probability [kinds] of the replies that begin as each kind of reply does, without white space."""
    open_block = [OPEN] * runtime.denoiser.block_length
    openings = [runtime.vocabulary.encode(opening)[: len(open_block)] for opening in source.openings]
    lengths = [len(opening) + needed(constraint.automaton, opening) for opening in openings]
    longest = max((length for length in lengths if length < NEVER), default=0)
    ids, remaining = prompt_ids(runtime, prompt), max(0, longest - len(open_block))
    seen = first_look(runtime, open_block, constraint.automaton, ids, generator, remaining=remaining)
    weights = []
    for opening in openings:
        begun = torch.tensor([*opening, *open_block[len(opening) :]])
        weights.append(seen.log_prob(begun).exp().mean())
    return torch.stack(weights)
