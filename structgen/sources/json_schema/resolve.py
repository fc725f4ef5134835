"""Following references: `$ref`, `$dynamicRef` and `$recursiveRef`, over documents, identifiers and anchors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urljoin

from structgen.surface import resource as option_for

from .drafts import LATEST, OLDEST, REF_ALONE, draft_of
from .node import Node
from .pointers import steps

BUNDLE = "copy that schema into $defs and refer to it as #/$defs/name"

# Keywords that hold schemas: as their value, in an array, or under names.
_SINGLE = (
    "additionalItems", "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
)  # fmt: skip
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_NAMED = ("$defs", "definitions", "dependentSchemas", "dependencies", "patternProperties", "properties")
_HOLDING = frozenset((*_SINGLE, *_LISTED, *_NAMED))  # all keywords that hold schemas


@dataclass
class Library:
    """The schemas that references may name: everything in one document, and the metaschemas."""

    root: Node
    given: Mapping[str, Any] = field(default_factory=dict)  # other documents, by identifier
    resources: dict[str, Node] = field(default_factory=dict)  # by absolute identifier
    anchors: dict[tuple[str, str], Node] = field(default_factory=dict)  # by resource and name
    dynamic: dict[str, list[str]] = field(default_factory=dict)  # the names of dynamic anchors, by resource
    places: dict[int, str] = field(default_factory=dict)  # resources by the id() of their schemas
    eldest: int = LATEST  # the oldest draft that any of these schemas names

    def __post_init__(self) -> None:
        self.root = replace(self.root, draft=draft_of(self.root.value))
        self.resources[""] = self.root
        self._index(self.root, "")
        self.root = replace(self.entered(self.root), base=self.places.get(id(self.root.value), ""))

    def entered(self, node: Node) -> Node:
        """The node in the scope of the resource that starts there, if any, and in the draft that it names, if any."""
        node = _dated(node)
        base = self.places.get(id(node.value))
        if base is None and node.pointer:
            return node
        base = base or ""
        known = dict(node.dynamic)
        for name in self.dynamic.get(base, ()):
            known.setdefault(name, base)
        return replace(node, base=base, dynamic=tuple(sorted(known.items())))

    def follow(self, node: Node, keyword: str) -> Node:
        """The schema that the reference `keyword` of the schema at `node` names."""
        place = node.child(keyword)
        target = self._target(place)
        name = unquote(place.value.partition("#")[2])
        if keyword == "$ref" or name.startswith("/"):
            return target
        flagged = target.value.get("$recursiveAnchor") is True if isinstance(target.value, dict) else False
        if keyword == "$recursiveRef":
            name = "" if flagged else "no anchor"
        elif not isinstance(target.value, dict) or target.value.get("$dynamicAnchor") != name:
            return target
        outermost = dict(place.dynamic).get(name)
        return target if outermost is None else replace(self.anchors[outermost, name], dynamic=target.dynamic)

    def _target(self, place: Node) -> Node:
        uri, _, fragment = urljoin(place.base, place.string()).partition("#")
        if place.value.startswith("#"):
            uri = place.base
        resource = self.resources.get(uri) or self._document(uri)
        if resource is None:
            remedy = f"pass {option_for(uri)}, or {BUNDLE}"
            place.unsupported(f"the reference {place.value!r} leads out of the schema", "$ref", remedy)
        resource = self.entered(replace(resource, dynamic=place.dynamic))
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            anchored = self.anchors.get((uri, fragment))
            if anchored is None:
                place.malformed("a reference to an anchor that exists")
            return replace(anchored, dynamic=resource.dynamic)
        return self._pointed(resource, place, fragment)

    def _pointed(self, node: Node, place: Node, pointer: str) -> Node:
        for step in steps(pointer):
            value = node.value
            if isinstance(value, dict) and step in value:
                node = node.child(step)
            elif isinstance(value, list | tuple) and step.isdecimal() and int(step) < len(value):
                node = node.child(int(step))
            else:
                place.malformed("a reference to a part of the schema that exists")
            node = self.entered(node)
        if not isinstance(node.value, dict | bool):
            place.malformed("a reference to a schema")
        return node

    def _document(self, uri: str) -> Node | None:
        """Another document: one that was given, or a metaschema."""
        from jsonschema_specifications import REGISTRY

        known = REGISTRY.get(uri) or REGISTRY.get(uri + "#")
        contents = self._known.get(uri, None if known is None else known.contents)
        if contents is None:
            return None
        node = Node(contents, uri + "#", uri, draft=self.root.draft)
        self.resources[uri] = node
        self._index(node, uri)
        return self.resources[uri]

    @cached_property
    def _known(self) -> Mapping[str, Any]:
        """The documents that were given, by the names they were given under and by their own identifiers."""
        own = {
            name.partition("#")[0]: document
            for document in self.given.values()
            if isinstance(document, dict)
            for name in (document.get("$id"), document.get("id"))
            if isinstance(name, str)
        }
        return {**own, **{uri.partition("#")[0]: document for uri, document in self.given.items()}}

    def _index(self, node: Node, base: str) -> None:
        waiting, seen = [(node, base)], set[int]()
        while waiting:
            node, base = waiting.pop()
            if not isinstance(node.value, dict) or id(node.value) in seen:
                continue
            seen.add(id(node.value))
            node = _dated(node)
            base = self._identified(node, base)
            self.eldest = min(self.eldest, node.draft)
            node = replace(node, base=base)
            for keyword in ("$anchor", "$dynamicAnchor"):
                if keyword in node and isinstance(name := node.value[keyword], str):
                    self.anchors[base, name] = node
                    if keyword == "$dynamicAnchor":
                        self.dynamic.setdefault(base, []).append(name)
            if "$recursiveAnchor" in node and node.value["$recursiveAnchor"] is True:
                self.anchors[base, ""] = node
                self.dynamic.setdefault(base, []).append("")
            waiting += [(child, base) for child in _subschemas(node)]

    def _identified(self, node: Node, base: str) -> str:
        """The resource to which a schema belongs, which may begin there."""
        keyword = "id" if node.draft == OLDEST else "$id"
        name = node.value.get(keyword, node.value.get("id") if node.value is self.root.value else None)
        if not isinstance(name, str) or ("$ref" in node and node.draft <= REF_ALONE):
            return base
        if name.startswith("#"):
            self.anchors[base, name[1:]] = replace(node, base=base)
            return base
        uri = urljoin(base, name).partition("#")[0]
        self.places[id(node.value)] = uri
        self.resources[uri] = replace(node, base=uri)
        return uri


def _dated(node: Node) -> Node:
    """The node in the draft that its schema names, if any."""
    draft = draft_of(node.value, node.draft)
    return node if draft == node.draft else replace(node, draft=draft)


def _subschemas(node: Node) -> Iterator[Node]:
    if _HOLDING.isdisjoint(node.value):
        return
    for keyword in _SINGLE:
        if keyword in node and isinstance(node.value[keyword], dict):
            yield node.child(keyword)
    for keyword in _LISTED:
        if keyword in node and isinstance(node.value[keyword], list | tuple):
            yield from node.child(keyword).elements()
    for keyword in _NAMED:
        if keyword in node and isinstance(node.value[keyword], dict):
            inside = node.child(keyword)
            yield from map(inside.child, inside.value)
