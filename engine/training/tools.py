"""An inventory of tools as a model is offered them: verbs × objects × parameters, and how people ask for them.

requests/tools.txt holds the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from training.genres import keys_of
from training.wording import parts

FOLDER = Path(__file__).with_name("requests")


@dataclass(frozen=True)
class Parameter:
    """One parameter: its kind of value, what it may be called, and phrases that carry the value {v}.

    The kind `many …` is an array; `flag …` a boolean that wording knows, whose clauses take the phrases' place.
    """

    kind: str
    names: tuple[str, ...]
    phrases: tuple[str, ...]


@dataclass
class Thing:
    """What tools act on."""

    names: list[str]
    spoken: list[str]
    verbs: list[str]
    parameters: list[Parameter] = field(default_factory=list)
    questions: list[str] = field(
        default_factory=list
    )  # whole requests; {key} is a parameter by its first name


@dataclass(frozen=True, eq=False)
class Tool:
    """One verb and one thing under one name, `flight` or `plane_ticket`."""

    verb: str
    noun: str
    thing: Thing


def _read(text: str) -> tuple[dict[str, list[str]], list[Thing]]:
    verbs: dict[str, list[str]] = {}
    things: list[Thing] = []
    for line in text.splitlines():
        keyword, _, rest = line.partition(" ")
        cells = [cell.strip() for cell in rest.split(" | ")]
        match keyword:
            case "verb":
                verbs[cells[0]] = parts(cells[1])
            case "object":
                things.append(Thing(cells[0].split(), parts(cells[1]), cells[2].split()))
            case "param":
                kind, names, phrases = cells
                things[-1].parameters.append(Parameter(kind, tuple(names.split()), tuple(parts(phrases))))
            case "ask":
                things[-1].questions.append(rest.strip())
    return verbs, things


VERBS, THINGS = _read((FOLDER / "tools.txt").read_text("utf-8"))
for _thing in THINGS:
    _keys = {parameter.names[0] for parameter in _thing.parameters}
    for _question in _thing.questions:
        if not set(keys_of(_question)) <= _keys:
            raise ValueError(f"{_thing.names[0]}: no such parameter in {_question!r}")
TOOLS = [Tool(verb, noun, thing) for thing in THINGS for verb in thing.verbs for noun in thing.names]


def _questions(text: str) -> dict[str, dict[str, list[str]]]:
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, *options = line.split(" | ")
            pairs = (option.partition(":") for option in options)
            found[name.strip()] = {option.strip(): parts(wordings) for option, _, wordings in pairs}
    return found


QUESTIONS = _questions((FOLDER / "questions.txt").read_text("utf-8"))
