"""Prompts: the text that a model reads before it fills its canvas.

A prompt is a tuple of pieces. `Markup` belongs to the model: the names of special tokens in it mean those tokens. Any
other piece is a user's text: in a document "<eos>" means five characters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from structgen.sources.outline import Outline
from structgen.sources.tools import Tool, Tools
from structgen.sources.tools.forms import CALL_FORMS, JSON_FORM


class Markup(str):
    """A piece of a prompt in which the names of special tokens mean the tokens."""

    __slots__ = ()


Prompt = tuple[str, ...]


class Fillable(Protocol):
    """A source of JSON texts that a prompt can describe by its schema or by its outline."""

    @property
    def schema(self) -> Any:
        """The JSON Schema, a dict or a bool."""
        ...

    def outline(self) -> Outline:
        """The outline of its values."""
        ...


@dataclass(frozen=True)
class Form:
    """A schema with its outline, which is read once for a whole request: for the prompt and for the writer."""

    schema: Any
    outlined: Outline

    @classmethod
    def of(cls, source: Fillable) -> Form:
        """The schema and the outline of a source as it is now."""
        return cls(source.schema, source.outline())

    def outline(self) -> Outline:
        """The outline that was read."""
        return self.outlined


class Prompts(Protocol):
    """The prompts that one family of models expects."""

    def extraction(self, source: Fillable, document: str) -> Prompt:
        """The prompt to fill in what the source describes from the document."""
        ...

    def calls(self, source: Tools, request: str) -> Prompt:
        """The prompt to call the tools that the request needs, or to answer it."""
        ...

    def filling(self, source: Fillable, template: str, context: str) -> Prompt:
        """The prompt to write a template with its holes filled by what the context says."""
        ...

    def plain(self, prompt: str) -> Prompt:
        """The user's prompt, unchanged."""
        ...


@dataclass(frozen=True)
class ChatPrompts:
    """Prompts of a chat model: one user turn. `template` is the markup around the message, which replaces {}."""

    template: str = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"

    def extraction(self, source: Fillable, document: str) -> Prompt:
        asked = json.dumps(source.schema, ensure_ascii=False)
        return self.plain(
            f"Read the document and answer with one JSON object that follows the JSON Schema.\n\n"
            f"JSON Schema:\n{asked}\n\nDocument:\n{document}"
        )

    def filling(self, source: Fillable, template: str, context: str) -> Prompt:
        return self.plain(
            f"Write the template with each {{{{hole}}}} replaced by what the document says, and nothing else.\n\n"
            f"Template:\n{template}\n\nDocument:\n{context}"
        )

    def calls(self, source: Tools, request: str) -> Prompt:
        tools = "\n".join(json.dumps(_described(tool), ensure_ascii=False) for tool in source.callable)
        forms = [_call_form(source)] if tools else []
        if source.answers:
            said = '{"answer": the answer in words}' if source.form == JSON_FORM else "the answer in words"
            forms.append(said + (" where no tool is needed" if tools else ""))
        heading = f"Tools, one a line:\n{tools}\n\n" if tools else ""
        return self.plain(f"{heading}Answer the request with {', or '.join(forms)}.\n\nRequest:\n{request}")

    def plain(self, prompt: str) -> Prompt:
        before, _, after = self.template.partition("{}")
        return Markup(before), prompt, Markup(after)


def _call_form(source: Tools) -> str:
    """What a reply that calls tools looks like."""
    if source.form != JSON_FORM:
        several = "one or several calls" if source.counts else "one call"
        return f"{several} of the form {CALL_FORMS[source.form].example}"
    one = '{"name": the tool\'s name, "arguments": {…}}'
    return f"a JSON array of objects {one}" if source.counts else f"one JSON object {one}"


def _described(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.schema}


def question_schema(name: str, answers: Sequence[Any]) -> dict[str, Any]:
    """The question "which of these?" as a schema with one field."""
    return questions_schema({name: answers})


def questions_schema(questions: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Several such questions as a schema with a field for each, by name."""
    return {
        "type": "object",
        "properties": {name: {"enum": list(answers)} for name, answers in questions.items()},
        "required": list(questions),
        "additionalProperties": False,
    }
