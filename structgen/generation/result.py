"""The result of a verb with `details=True`: the value, its text, how it was generated, and what speaks for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from reprlib import Repr
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from structgen.documents import Document
from structgen.generation.leaves import Answer
from structgen.sources import Capture

if TYPE_CHECKING:
    from structgen.report.export import Form, Unit
    from structgen.report.proof import Entry, Still

T_co = TypeVar("T_co", covariant=True)

SHORT = Repr()  # shortens values to fit a line of a notebook
SHORT.maxother = SHORT.maxstring = 200


class Alternative(NamedTuple):
    """A value that could stand in a place of the answer, and its probability given the rest of the answer."""

    value: Any
    probability: float


class TextSpan(NamedTuple):
    """Characters start … end − 1 of the document."""

    start: int
    end: int


WarningKind = Literal["excluded", "not stated", "absent", "shortened", "off topic", "projected"]


class AnswerWarning(UserWarning):
    """A reason to doubt a value: the constraint excluded another one, the document does not state it, or it is cut.

    A value is absent if the document has its words, but not for this field.

    A request that concerns no tool gets one too, and an answer that was made valid by `project` ("projected").

    kind: "excluded", "not stated", "absent", "shortened" or "off topic"; pointer: of the value
    detail: what was found, without the pointer
    """

    def __init__(self, kind: WarningKind, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer or 'the answer'}: {detail}")
        self.kind: WarningKind = kind
        self.pointer, self.detail = pointer, detail

    def to_dict(self) -> dict[str, str]:
        """Kind, pointer and detail."""
        return {"kind": self.kind, "pointer": self.pointer, "detail": self.detail}


@dataclass(frozen=True)
class Evidence:
    """What speaks for the values of an answer, by JSON pointer.

    confidence: the exact probability of a value given the rest of the answer, when the model sees the rest but not it
    calibrated: an estimate, from documents with known answers, of how often values of that confidence are right; empty
        if the model's confidence has not been compared with answers
    alternatives: other values, the most probable first
    spans: every place of the document that states the value, the likeliest first; none if it is not stated
    """

    confidence: Mapping[str, float] = field(default_factory=dict)
    alternatives: Mapping[str, Sequence[Alternative]] = field(default_factory=dict)
    spans: Mapping[str, Sequence[TextSpan]] = field(default_factory=dict)
    warnings: Sequence[AnswerWarning] = ()
    calibrated: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The evidence in plain values, which JSON can hold."""
        return {
            "confidence": dict(self.confidence),
            "calibrated": dict(self.calibrated),
            "alternatives": {
                pointer: [one._asdict() for one in ranked] for pointer, ranked in self.alternatives.items()
            },
            "spans": {pointer: [one._asdict() for one in spans] for pointer, spans in self.spans.items()},
            "warnings": [one.to_dict() for one in self.warnings],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """The evidence that `to_dict` gave."""
        return cls(
            dict(data["confidence"]),
            {at: [Alternative(**one) for one in ranked] for at, ranked in data["alternatives"].items()},
            {at: [TextSpan(**one) for one in spans] for at, spans in data["spans"].items()},
            tuple(AnswerWarning(**one) for one in data["warnings"]),
            dict(data.get("calibrated", {})),
        )


def entries(text: str, evidence: Evidence) -> list[Entry]:
    """What a page shows of an answer with this text: each value with what speaks for it."""
    from structgen.report.proof import Entry

    doubts: dict[str, list[str]] = {}
    for warning in evidence.warnings:
        doubts.setdefault(warning.pointer, []).append(warning.detail)
    return [
        Entry(
            leaf.pointer,
            text[leaf.start : leaf.end],
            evidence.confidence.get(leaf.pointer),
            [
                (json.dumps(one.value, ensure_ascii=False), one.probability)
                for one in evidence.alternatives.get(leaf.pointer, ())
            ],
            evidence.spans.get(leaf.pointer, ()),
            doubts.get(leaf.pointer, ()),
            evidence.calibrated.get(leaf.pointer),
        )
        for leaf in Answer.of(text).leaves.values()
    ]


@dataclass(frozen=True)
class Generation(Generic[T_co]):
    """One finished output.

    value: the parsed text; text: as generated; ids: committed tokens, including the end token and padding
    log_prob: log-probability (nats) of the committed blocks under the constrained distribution of their last step
    steps: refinement steps over all blocks; blocks: number of blocks filled
    dropped_share: upper bound on the share of the accepted blocks' probability that pruning dropped in any step; 0.0 if
        the constraint is one table
    certified: whether every block is surely the most probable one that the constraint accepts, given its last step; if
        the constraint is one table, every block that is not drawn at random is
    draws: how many outputs were drawn: all but this one were rejected by a Python validator
    evidence: what speaks for each value, whose parts are also this object's: confidence, alternatives, spans, warnings
    trace: the canvas after each step; document: that the values are from
    captures: what the rules of a grammar with `capture` stand for, by name: pieces of the text with start and end
    """

    value: T_co
    text: str
    ids: tuple[int, ...]
    log_prob: float
    steps: int
    blocks: int
    dropped_share: float = 0.0
    certified: bool = False
    evidence: Evidence = Evidence()
    trace: Sequence[Still] = ()
    document: Document | None = None
    captures: Mapping[str, Sequence[Capture]] = field(default_factory=dict)
    draws: int = 1

    @property
    def confidence(self) -> Mapping[str, float]:
        """The probability of each value given the rest of the answer, by JSON pointer."""
        return self.evidence.confidence

    @property
    def calibrated(self) -> Mapping[str, float]:
        """How often values as probable as each one are right, by JSON pointer; empty if that is not known."""
        return self.evidence.calibrated

    @property
    def alternatives(self) -> Mapping[str, Sequence[Alternative]]:
        """Other values with their probabilities, by JSON pointer."""
        return self.evidence.alternatives

    @property
    def spans(self) -> Mapping[str, Sequence[TextSpan]]:
        """Where the document states each value, by JSON pointer."""
        return self.evidence.spans

    @property
    def warnings(self) -> Sequence[AnswerWarning]:
        """Reasons to doubt values."""
        return self.evidence.warnings

    def html(self, title: str | None = None) -> str:
        """One HTML file with the document, the values, where each is stated, and how the answer settled.

        It needs no network. A PDF is shown as images of its pages.
        """
        from structgen.report.proof import proof

        facts = {"blocks": str(self.blocks), "steps": str(self.steps), "warnings": str(len(self.warnings))}
        name = None if self.document is None else self.document.name
        shown = title or name or "structgen"
        return proof(self._entries(), self.document, stills=self.trace, title=shown, facts=facts)

    def _repr_html_(self) -> str:
        """The values with confidence and warnings, for a notebook."""
        from structgen.report.proof import table

        return table(self._entries())

    def export(self, form: Form, *, unit: Unit = "code-points") -> list[dict[str, Any]]:
        """The values and their places for an annotation tool, in plain values that JSON can hold.

        form: "label-studio" (one task with predictions) or "w3c" (Web Annotations, one for each value)
        unit: what offsets count, "code-points" or "utf-16"; raises InvalidOption for any other form or unit
        """
        from structgen.report.export import export

        text, name = (None, "") if self.document is None else (self.document.text, self.document.name or "")
        return export(form, self._entries(), text, name=name, unit=unit)

    def _entries(self) -> list[Entry]:
        return entries(self.text, self.evidence)

    def to_dict(self) -> dict[str, Any]:
        """The result in plain values, which JSON can hold.

        Its text stands for the value. Of the document, text, kind and name are kept, so that its pages cannot be drawn.
        """
        numbers = {
            name: getattr(self, name)
            for name in ("log_prob", "steps", "blocks", "dropped_share", "certified", "draws")
        }
        return {
            "text": self.text,
            "ids": list(self.ids),
            **numbers,
            **self.evidence.to_dict(),
            "trace": [frame.to_dict() for frame in self.trace],
            "document": None
            if self.document is None
            else {name: getattr(self.document, name) for name in ("text", "kind", "name")},
            "captures": {name: [one._asdict() for one in found] for name, found in self.captures.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Generation[Any]:
        """The result that `to_dict` gave; its value is plain JSON, or the text if that is none."""
        from structgen.report.proof import Still

        answer, document = Answer.of(data["text"]), data["document"]
        value = json.loads(answer.text) if answer.is_json else answer.text
        return Generation(
            value,
            answer.text,
            tuple(data["ids"]),
            data["log_prob"],
            data["steps"],
            data["blocks"],
            data["dropped_share"],
            data["certified"],
            Evidence.from_dict(data),
            [Still.from_dict(frame) for frame in data["trace"]],
            None if document is None else Document(**document),
            {name: [Capture(**one) for one in found] for name, found in data.get("captures", {}).items()},
            data.get("draws", 1),
        )

    def __repr__(self) -> str:
        """The shortened value and the cost of generating it."""
        counted = {"token": len(self.ids), "block": self.blocks, "step": self.steps}
        counts = ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counted.items())
        return f"Generation({SHORT.repr(self.value)}, {counts}, log_prob={self.log_prob:.2f})"
