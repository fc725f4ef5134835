"""Following `$ref` to the schema it names."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from .node import Node

BUNDLE = "copy that schema into $defs and refer to it as #/$defs/name"


def resolve(root: Node, place: Node) -> Node:
    """The schema that the `$ref` at `place` names: a JSON pointer or an anchor into the same document."""
    reference = place.string()
    base, _, fragment = reference.partition("#")
    if base and base != _identifier(root):
        place.unsupported(f"the reference {reference!r} leads out of the schema", "$ref", BUNDLE)
    if _inside_resource(root, place):
        remedy = "drop the nested $id, or refer from outside it"
        place.unsupported("a reference inside a schema with its own $id", "$ref", remedy)
    fragment = unquote(fragment)
    if fragment and not fragment.startswith("/"):
        return _anchored(root, place, fragment)
    return _pointed(root, place, fragment)


def _identifier(node: Node) -> str:
    for keyword in ("$id", "id"):
        if keyword in node and isinstance(node.value[keyword], str):
            return node.value[keyword].rstrip("#")
    return ""


def _inside_resource(root: Node, place: Node) -> bool:
    """Whether a schema between the root and `place` has an identifier, so that references mean something else."""
    node = root
    for step in place.pointer.split("/")[1:]:
        step = _unescaped(step)
        node = node.child(int(step) if isinstance(node.value, list | tuple) else step)
        if _identifier(node) and not _identifier(node).startswith("#"):
            return True
    return False


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _pointed(root: Node, place: Node, pointer: str) -> Node:
    node = root
    for step in map(_unescaped, pointer.split("/")[1:]):
        value = node.value
        if isinstance(value, dict) and step in value:
            node = node.child(step)
        elif isinstance(value, list | tuple) and step.isdecimal() and int(step) < len(value):
            node = node.child(int(step))
        else:
            place.malformed("a reference to a part of the schema that exists")
    if not isinstance(node.value, dict | bool):
        place.malformed("a reference to a schema")
    return node


def _anchored(root: Node, place: Node, name: str) -> Node:
    for node in _schemas(root):
        if node.value.get("$anchor") == name or f"#{name}" in (node.value.get("$id"), node.value.get("id")):
            return node
    return place.malformed("a reference to an anchor that exists")


def _schemas(node: Node) -> Iterator[Node]:
    """Every object within the document, the outermost first."""
    if isinstance(node.value, dict):
        yield node
        for key in node.value:
            yield from _schemas(node.child(key))
    elif isinstance(node.value, list | tuple):
        for i in range(len(node.value)):
            yield from _schemas(node.child(i))
