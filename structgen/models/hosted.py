"""Models behind an endpoint of OpenAI's protocol: native structured output where it is enforced, else projection.

    model = sg.load("openai:https://host/v1", model="google/diffusiongemma-26b-a4b-it")

An endpoint is asked once, with a schema that contradicts the prompt, whether it enforces schemas; the answer is kept on
disk. Whatever it enforces, every reply is checked, and one that is not valid is projected: the nearest valid text takes
its place, with its edits as warnings, or the reply is refused if it is too far away.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from structgen.cache import cache_folder
from structgen.compiler.constraint import Constraint, compile
from structgen.compiler.projection import Projection
from structgen.errors import InvalidOption, MissingExtra, ModelNotFound, Rejected, StructgenError, Unsupported
from structgen.generation.prompts import ChatPrompts
from structgen.generation.remote import Remote, RemoteChooser, RemoteDenoiser, Replied
from structgen.generation.request import Request
from structgen.generation.result import AnswerWarning
from structgen.model import Model
from structgen.sources import Source
from structgen.sources.json_schema import JsonSchema
from structgen.sources.types import TypeSource
from structgen.tokens.vocabulary import BYTES

PREFIX = "openai:"
MAX_DISTANCE = 20.0  # distance of a reply from the nearest valid text, in letters replaced
SHOWN = 8  # edits that are reported one by one
KEYS = {"openai.com": "OPENAI_API_KEY", "nvidia.com": "NVIDIA_API_KEY"}  # by the end of a host's name
OWN_KEY = "STRUCTGEN_API_KEY"  # for any host
PROBE: dict[str, Any] = {
    "type": "object",
    "properties": {"structgen": {"type": "string", "enum": ["enforced"]}},
    "required": ["structgen"],
    "additionalProperties": False,
}
QUESTION = "Say hello in one word, without any JSON."


def hosted(name: str, model: str | None, most: float) -> Model:
    """The model at an endpoint; name: openai: and the endpoint's address, which may end with # and the model's name."""
    if not most >= 0:
        raise InvalidOption(f"max_distance must be a number from 0 on, not {most!r}")
    url, _, named = name.removeprefix(PREFIX).partition("#")
    if urlsplit(url).scheme not in ("http", "https"):
        raise ModelNotFound(f"{name!r} names no endpoint: write it as openai:https://host/v1")
    client = _client(url)
    model = model or named or _only_model(client, url)
    remote = HostedEndpoint(client, url, model, most)
    return Model(
        f"{model} at {url}",
        RemoteDenoiser(),
        BYTES,
        ChatPrompts("{}"),
        remote=remote,
        chooser=RemoteChooser(),
        about="a model behind an endpoint, whose replies are projected onto the constraint",
    )


def _client(url: str) -> Any:
    """The client, which repeats requests that fail for a while, with the key from the environment."""
    try:
        from openai import OpenAI
    except ImportError:
        raise MissingExtra("a hosted model needs openai: pip install 'structgen-dlm[hosted]'") from None
    host = urlsplit(url).hostname or ""
    names = [key for end, key in KEYS.items() if host == end or host.endswith(f".{end}")]
    keys = [os.environ[key] for key in (OWN_KEY, *names) if os.environ.get(key)]
    return OpenAI(base_url=url, api_key=keys[0] if keys else "none")


def _only_model(client: Any, url: str) -> str:
    """The model of an endpoint that has a single one."""
    names = _asked(lambda: [one.id for one in client.models.list()], url)
    if len(names) != 1:
        listed = ", ".join(names[:8]) or "none"
        raise ModelNotFound(
            f"{url} has several models or none ({listed}): name one with model=, or after a #"
        )
    return names[0]


@dataclass(frozen=True, eq=False)
class HostedEndpoint(Remote):
    """A model at an endpoint; most: the distance up to which a reply is projected."""

    client: Any
    url: str
    model: str
    most: float
    _known: dict[str, bool] = field(default_factory=dict)

    def reply(self, request: Request) -> Replied:
        """The reply to a request, valid, with warnings of what was changed."""
        prompt, constraint = bytes(request.prompt).decode(), request.constraint
        schema = _schema(constraint.source) if self._enforces() else None
        said = self._said(prompt, schema, request)
        try:
            found = _nearest(constraint, said, request.document, self.most)
        except Rejected as error:
            raise Rejected(f"the reply of {self.model} cannot be used: {error}", text=said) from None
        return Replied(found.text, tuple(_warnings(found.distance, found.edits)))

    def _said(self, prompt: str, schema: Any, request: Request | None = None) -> str:
        """The text of the reply; without the schema if the endpoint refuses that."""
        options: dict[str, Any] = (
            {"temperature": 0} if request is None or not request.drawn else {"temperature": 1}
        )
        if request is not None and request.asked_tokens is not None:
            options["max_tokens"] = request.asked_tokens
        if request is not None and request.drawn:
            options["seed"] = request.seed
        if schema is not None:
            options["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            }
        message = {"role": "user", "content": prompt}

        def ask() -> str:
            from openai import BadRequestError, UnprocessableEntityError

            try:
                found = self.client.chat.completions.create(model=self.model, messages=[message], **options)
            except (BadRequestError, UnprocessableEntityError):
                if schema is None:
                    raise
                return self._said(prompt, None, request)
            return (found.choices[0].message.content or "") if found.choices else ""

        return _asked(ask, self.url)

    def _enforces(self) -> bool:
        """Whether the endpoint enforces schemas: asked once, and kept on disk."""
        if "enforces" not in self._known:
            file = _stored(self.url, self.model)
            known = _read(file)
            if known is None:
                known = _obeys(self._said(QUESTION, PROBE))
                _write(file, known)
            self._known["enforces"] = known
        return self._known["enforces"]


def _nearest(constraint: Constraint[Any], said: str, document: str | None, most: float) -> Projection:
    """The nearest text with members in declared order, or in any if that is nearer: a model may have its own order."""
    if constraint.accepts(said):
        return Projection(said, 0.0)
    found = _refused(lambda: constraint.project(said, most=most))
    other = _in_any_order(constraint.source)
    if other is not None:
        limit = most if isinstance(found, StructgenError) else found.distance
        freely = _refused(lambda: compile(other, document=document).project(said, most=limit))
        if isinstance(freely, Projection) and (
            isinstance(found, StructgenError) or freely.distance < found.distance
        ):
            return freely
    if isinstance(found, StructgenError):
        raise found
    if _says_nothing(found, constraint):
        raise Rejected(f"it holds nothing of an answer: {said.strip()[:80]!r}", text=said)
    return found


def _says_nothing(found: Projection, constraint: Constraint[Any]) -> bool:
    """Whether an empty reply would have led to the same text, at the price of one letter more at most.

    Then every value would be made up: the reply declines, or is empty.
    """
    blank = _refused(lambda: constraint.project("", most=found.distance + 1))
    return isinstance(blank, Projection) and blank.text == found.text


def _refused(project: Callable[[], Projection]) -> Projection | StructgenError:
    """What a projection gives, or the error that it raises."""
    try:
        return project()
    except (Rejected, Unsupported) as error:
        return error


def _in_any_order(source: object) -> Source[Any] | None:
    """The source with members in any order; None if it has no order of members."""
    if isinstance(source, JsonSchema) and source.order == "declared":
        return replace(source, order="any")
    if isinstance(source, TypeSource) and source.terms.order == "declared":
        return replace(source, terms=replace(source.terms, order="any"))
    return None


def _asked(ask: Any, url: str) -> Any:
    """What a request to an endpoint gives; raises ModelNotFound in one sentence if it fails in the end."""
    import openai

    try:
        return ask()
    except openai.APIStatusError as error:
        said = " ".join(str(error.message).split())[:200]
        raise ModelNotFound(f"{url} answers with status {error.status_code}: {said}") from None
    except openai.APIConnectionError as error:
        raise ModelNotFound(f"{url} cannot be reached: {error.__cause__ or error}") from None
    except openai.OpenAIError as error:
        raise ModelNotFound(f"{url} gives no answer: {error}") from None


def _schema(source: object) -> Any:
    """The JSON Schema of a source; None if it has none."""
    if not isinstance(source, JsonSchema | TypeSource) or not isinstance(source.schema, dict):
        return None
    return source.schema


def _obeys(text: str) -> bool:
    try:
        return json.loads(text) == {"structgen": "enforced"}
    except ValueError:
        return False


def _warnings(distance: float, edits: Any) -> list[AnswerWarning]:
    """One warning for each of the first edits, after one with the distance; none if the reply was valid."""
    if not edits:
        return []
    more = f", of which {SHOWN} are listed" if len(edits) > SHOWN else ""
    told = [
        f"the reply was not valid; the nearest valid text is {distance:g} away, with {len(edits)} edits{more}"
    ]
    told += [str(one) for one in edits[:SHOWN]]
    return [AnswerWarning("projected", "", one) for one in told]


def _stored(url: str, model: str) -> Path | None:
    folder = cache_folder()
    digest = hashlib.sha256(f"{url}\n{model}".encode()).hexdigest()[:32]
    return None if folder is None else folder / f"endpoint-{digest}.json"


def _read(file: Path | None) -> bool | None:
    try:
        found: Mapping[str, Any] = json.loads(file.read_text()) if file else {}
    except (OSError, ValueError):
        return None
    known = found.get("enforces") if isinstance(found, dict) else None
    return known if isinstance(known, bool) else None


def _write(file: Path | None, known: bool) -> None:
    try:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"enforces": known}))
    except OSError:
        pass  # it is asked again next time
