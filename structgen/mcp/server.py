"""The server and its tools: typed values out of a text, answers to questions about it, and filled templates."""

from __future__ import annotations

from typing import Annotated, Any

from fastmcp import FastMCP
from mcp_types import ToolAnnotations
from pydantic import Field
from pydantic_core import to_jsonable_python

from structgen import __version__
from structgen.generation.options import MOST_SEED, Options
from structgen.generation.result import Generation
from structgen.mcp.sentences import Sentences, spoken
from structgen.mcp.structured import (
    DecideAnswer,
    ExtractAnswer,
    FillAnswer,
    Grounds,
    Question,
    ReportedDoubt,
    ScoreRange,
)
from structgen.model import Model
from structgen.sources import Additional, Order, Terms, Unknown, Whitespace
from structgen.twins import stepwise
from structgen.verbs.extract import extract
from structgen.verbs.fill import fill

INSTRUCTIONS = """\
structgen reads typed values out of a text with a diffusion language model. Every value satisfies the JSON Schema, the \
template or the list of answers that you give, by construction, and every call ends. Valid is not the same as right: \
read the warnings, and ask for details where confidence matters."""

Text = Annotated[str, Field(description="The text to read, whole.")]
Schema = Annotated[
    dict[str, Any],
    Field(
        description='A JSON Schema of the value. "x-verbatim": true beside "type": "string" copies the string from '
        "the text."
    ),
]
Questions = Annotated[
    dict[str, Question],
    Field(
        description="By name: the answers to choose from, [true, false] or a list of strings, or a range of whole "
        'numbers as {"least": 0, "most": 5}.',
        min_length=1,
    ),
]
FillTemplate = Annotated[
    str,
    Field(description="A text with holes: {{name}}, {{name:regular expression}} or {{date:iso-date}}."),
]
Context = Annotated[str | None, Field(description="The text that says what fills the holes.")]
Details = Annotated[bool, Field(description="Add the probability, alternatives and places of each value.")]
WantsPart = Annotated[bool, Field(description="Take a part of a list for which the budget is too small.")]
Budget = Annotated[int | None, Field(description="Tokens that the answer may take.", ge=1)]
Seed = Annotated[int, Field(description="The only source of randomness.", ge=0, le=MOST_SEED)]
Resources = Annotated[
    dict[str, dict[str, Any] | bool] | None,
    Field(description="Schemas that references of the schema name, by identifier."),
]
READING = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)


def server(model: Model) -> FastMCP[Any]:
    """The server for a loaded model; `server(model).run()` serves one client on stdin and stdout."""
    found: FastMCP[Any] = FastMCP(
        "structgen", instructions=INSTRUCTIONS, version=__version__, middleware=[Sentences()]
    )
    tools = ModelTools(model)
    for tool in (tools.extract, tools.decide, tools.fill):
        found.tool(tool, annotations=READING)
    return found


class ModelTools:
    """The tools of one model; each runs in a thread, and ends after the present step if its client gives up."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def extract(
        self,
        text: Text,
        schema: Schema,
        details: Details = False,
        partial: WantsPart = False,
        max_tokens: Budget = None,
        seed: Seed = 0,
        whitespace: Whitespace = "flexible",
        additional: Additional = "declared",
        unknown: Unknown = "ignore",
        order: Order = "declared",
        resources: Resources = None,
    ) -> ExtractAnswer:
        """Read a value out of a text, in the form of a JSON Schema: an invoice, a list of events, a person.

        The value always satisfies the schema. A field that the text does not state gets a warning.
        """

        def run(on_step: Any) -> Generation[Any]:
            options = Options(max_tokens, None, seed, on_step, partial)
            terms = Terms(whitespace, additional, unknown, resources or {}, order)
            return extract(self._model, text, schema, options, terms=terms, details=details)

        with spoken():
            found = await stepwise(run)
        value = to_jsonable_python(found.value)
        warnings, evidence = ReportedDoubt.all_of(found.warnings), Grounds.of(found, details)
        return ExtractAnswer(value=value, warnings=warnings, evidence=evidence)

    async def decide(self, text: Text, questions: Questions, seed: Seed = 0) -> DecideAnswer:
        """Answer questions about a text, each from a fixed list of answers, with the probability of every answer."""
        with spoken():
            asked = {
                name: one.score() if isinstance(one, ScoreRange) else one for name, one in questions.items()
            }
            return DecideAnswer.of(await self._model.adecide(text, asked, seed=seed))

    async def fill(
        self,
        template: FillTemplate,
        context: Context = None,
        details: Details = False,
        max_tokens: Budget = None,
        seed: Seed = 0,
    ) -> FillAnswer:
        """Fill the holes of a template from a context; every character outside the holes stays as it is."""

        def run(on_step: Any) -> Generation[Any]:
            options = Options(max_tokens, None, seed, on_step)
            return fill(self._model, template, context, options, details=details)

        with spoken():
            found = await stepwise(run)
        values = to_jsonable_python(dict(found.value))
        warnings, evidence = ReportedDoubt.all_of(found.warnings), Grounds.of(found, details)
        return FillAnswer(text=found.value.text, values=values, warnings=warnings, evidence=evidence)
