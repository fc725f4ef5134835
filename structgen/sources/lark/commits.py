"""Commitment: where a lazy rule may begin beside something else, its first match decides.

    start: call* TEXT
    call: head /[0-9]+/ ";"
    head[lazy]: TEXT "<call>"
    TEXT: /(.|\\n)*/

Taken as languages alone, TEXT also contains "<call>", so every text would pass and no call would ever be enforced. As
llguidance's lexer reads it, the text belongs to `head` once "<call>" has been read. So what begins beside a lazy rule
is left without the texts that begin with a match of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .nodes import InOrder, LarkDefinition, LarkTree, NamedPart, OneOf, Times, Written, is_terminal

Guard = tuple[str, ...]  # the lazy rules that may begin at the same place, sorted
NO_GUARD: Guard = ()


def lazy_beside(tree: LarkTree, nodes: Iterable[Written]) -> Guard:
    """The lazy rules with which one of several nodes may begin."""
    found, seen = set[str](), set[str]()
    waiting = list(nodes)
    while waiting:
        for part in _first(waiting.pop()):
            if isinstance(part, NamedPart) and not is_terminal(part.name) and part.name not in seen:
                seen.add(part.name)
                definition = tree.definitions.get(part.name)
                if definition is not None and ends_early(definition):
                    found.add(part.name)
                elif definition is not None:
                    waiting.append(definition.body)
            elif isinstance(part, OneOf | InOrder | Times):
                waiting.append(part)
    return tuple(sorted(found))


def ends_early(definition: LarkDefinition) -> bool:
    """Whether a rule ends as soon as it can."""
    return definition.attributes.lazy or definition.attributes.marker is not None


def _first(node: Written) -> Iterator[Written]:
    """The parts with which a node may begin."""
    match node:
        case OneOf(_, options):
            yield from options
        case Times(_, body, _, _):
            yield body
        case InOrder(_, parts):
            for part in parts:
                yield part
                if not (isinstance(part, Times) and part.low == 0):
                    return
        case _:
            yield node
