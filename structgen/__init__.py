"""structgen: every block a diffusion language model writes satisfies your grammar, in one parallel pass.

    import structgen as sg

    model = sg.load()                      # the embedded default: offline, on the CPU
    invoice = model.extract(text, Invoice) # -> Invoice

`import structgen` itself is light: a name is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from structgen.collector import resting

if TYPE_CHECKING:
    from structgen.compiler.constraint import Constraint, compile
    from structgen.compiler.info import Info
    from structgen.compiler.projection import Projection
    from structgen.documents.document import Document
    from structgen.documents.places import Box
    from structgen.errors import (
        InvalidDocument,
        InvalidOption,
        InvalidSource,
        InvalidVocabulary,
        MissingExtra,
        ModelNotFound,
        Rejected,
        StructgenError,
        Unsatisfiable,
        Unsupported,
    )
    from structgen.generation.result import AnswerWarning, Generation
    from structgen.model import Model
    from structgen.models.load import load
    from structgen.sources.ebnf import Ebnf
    from structgen.sources.json_schema import JsonSchema
    from structgen.sources.lark import Lark
    from structgen.sources.library import library
    from structgen.sources.regex import Regex
    from structgen.sources.structural_tag import StructuralTag
    from structgen.sources.template import Filled, Template
    from structgen.sources.tools import Call, Reply, Tools
    from structgen.sources.verbatim import Verbatim
    from structgen.tokens.vocabulary import Vocabulary
    from structgen.verbs.choose import Choice
    from structgen.verbs.decide import Decisions, Score
    from structgen.verbs.stream import Done, Partial, Settled

__version__ = "0.1.0"

__all__ = [
    "AnswerWarning",
    "Box",
    "Call",
    "Choice",
    "Constraint",
    "Decisions",
    "Document",
    "Done",
    "Ebnf",
    "Filled",
    "Generation",
    "Info",
    "InvalidDocument",
    "InvalidOption",
    "InvalidSource",
    "InvalidVocabulary",
    "JsonSchema",
    "Lark",
    "MissingExtra",
    "Model",
    "ModelNotFound",
    "Partial",
    "Projection",
    "Regex",
    "Rejected",
    "Reply",
    "Score",
    "Settled",
    "StructgenError",
    "StructuralTag",
    "Template",
    "Tools",
    "Unsatisfiable",
    "Unsupported",
    "Verbatim",
    "Vocabulary",
    "compile",
    "library",
    "load",
]

# Where each name is defined. No module may bear the name of an export: importing it would hide the export.
_HOMES = {
    "Decisions": "verbs.decide",
    "Score": "verbs.decide",
    "AnswerWarning": "generation.result",
    "Box": "documents.places",
    "Call": "sources.tools",
    "Choice": "verbs.choose",
    "Constraint": "compiler.constraint",
    "Document": "documents.document",
    "Done": "verbs.stream",
    "Ebnf": "sources.ebnf",
    "Filled": "sources.template",
    "Generation": "generation.result",
    "Model": "model",
    "Info": "compiler.info",
    "JsonSchema": "sources.json_schema",
    "Lark": "sources.lark",
    "Partial": "verbs.stream",
    "Projection": "compiler.projection",
    "Regex": "sources.regex",
    "StructuralTag": "sources.structural_tag",
    "Reply": "sources.tools",
    "Settled": "verbs.stream",
    "Template": "sources.template",
    "Tools": "sources.tools",
    "Verbatim": "sources.verbatim",
    "Vocabulary": "tokens.vocabulary",
    "compile": "compiler.constraint",
    "library": "sources.library",
    "load": "models.load",
}


def __getattr__(name: str) -> Any:
    """Import a public name where it is first asked for: `structgen --help` need not wait for torch."""
    if name == "grammar":  # a module: the constructors with which grammars are combined
        import_module("structgen.sources")  # with which expressions may stand in annotations
        return import_module("structgen.grammar")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with resting():
        value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
