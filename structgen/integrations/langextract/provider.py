"""The provider: LangExtract finds it by the entry point, for model ids that begin with `structgen`.

lx.extract(text, prompt_description=…, examples=…, model_id="structgen")          # the embedded model
lx.extract(text, prompt_description=…, examples=…, model_id="structgen:FOLDER")   # what sg.load takes
"""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from structgen.errors import StructgenError
from structgen.generation.options import Options
from structgen.integrations.langextract.classes import ExampleClass, classes_of, in_order, schema_of
from structgen.integrations.langextract.passages import UnknownPrompt, asked
from structgen.model import Model
from structgen.models.load import load
from structgen.verbs.extract import extract

PROVIDER = "structgen"
WITHOUT_EFFECT = ("api_key", "max_workers", "constraint")  # change no answer
JSON_ALONE = (None, "json")

loaded = cache(load)


@cache
def _host(module: str) -> Any:
    return importlib.import_module(f"langextract.core.{module}")


class ClassesOfExamples:
    """The classes that the examples show, with the methods that LangExtract calls on a provider's schema."""

    def __init__(self, classes: Sequence[ExampleClass], texts: Sequence[str]) -> None:
        self.classes, self.texts = tuple(classes), tuple(texts)

    @classmethod
    def from_examples(cls, examples_data: Sequence[Any], attribute_suffix: str = "") -> ClassesOfExamples:
        """The classes of the examples; the suffix of attributes is LangExtract's own."""
        return cls(classes_of(examples_data), [one.text for one in examples_data])

    @classmethod
    def from_schema_dict(cls, output_schema: Any) -> ClassesOfExamples:
        """Raises NotImplementedError, which LangExtract turns into its refusal of output_schema."""
        raise NotImplementedError

    def to_provider_config(self) -> dict[str, Any]:
        """No options: the provider gets the schema itself."""
        return {}

    def sync_with_provider_kwargs(self, kwargs: dict[str, Any]) -> None:
        """Options change no class."""

    def validate_format(self, format_handler: Any) -> None:
        """Any format that reads JSON will do."""

    @property
    def requires_raw_output(self) -> bool:
        """Answers are JSON without a fence."""
        return True


class ProviderParts:
    """What a language model of LangExtract adds to its base class; its extractions are pieces of the text, in order.

    model_id: "structgen", or "structgen:" and a name or folder that `sg.load` takes
    options: seed and max_tokens, those of a verb
    """

    pattern_priority = 20
    schema: Any  # of the base class

    def __init__(self, model_id: str = PROVIDER, format_type: Any = None, **given: Any) -> None:
        super().__init__()
        options = {
            name: value for name, value in given.items() if value is not None and name not in WITHOUT_EFFECT
        }
        if getattr(format_type, "value", format_type) not in JSON_ALONE:
            raise _host("exceptions").InferenceConfigError("structgen answers in JSON: leave out format_type")
        unknown = sorted(options.keys() - {"seed", "max_tokens"})
        if unknown:
            raise _host("exceptions").InferenceConfigError(
                f"structgen has no option {unknown[0]!r}: leave it out; it knows seed and max_tokens"
            )
        try:
            self._options = Options(**options)
            self._model: Model = loaded(model_id.partition(":")[2] or None)
        except StructgenError as error:
            raise _host("exceptions").InferenceConfigError(str(error)) from error

    @classmethod
    def get_model_patterns(cls) -> tuple[str, ...]:
        """The model ids that this provider takes."""
        return (rf"^{PROVIDER}($|:)",)

    @classmethod
    def get_schema_class(cls) -> type[ClassesOfExamples]:
        """The schema that LangExtract makes from the examples."""
        return ClassesOfExamples

    def infer(self, batch_prompts: Sequence[str], **given: Any) -> Iterator[Sequence[Any]]:
        """One answer to each prompt; its score is the log-probability (nats)."""
        schema = self.schema
        if not isinstance(schema, ClassesOfExamples) or not schema.classes:
            raise _host("exceptions").InferenceConfigError(
                "structgen reads the classes from examples: pass examples, and leave use_schema_constraints on"
            )
        for prompt in batch_prompts:
            try:
                yield [self._answer(prompt, schema)]
            except (StructgenError, UnknownPrompt) as error:
                raise _host("exceptions").InferenceRuntimeError(
                    str(error), original=error, provider=PROVIDER
                ) from error

    def _answer(self, prompt: str, schema: ClassesOfExamples) -> Any:
        question = asked(prompt, schema.texts)
        spec = schema_of(schema.classes, question.task)
        found = extract(self._model, question.passage, spec, self._options)
        for warning in found.warnings:
            warnings.warn(warning, stacklevel=2)
        assert isinstance(found.value, dict)  # since the schema asks for an object
        items = in_order(question.passage, schema.classes, found.value)
        output = json.dumps({"extractions": items}, ensure_ascii=False)
        return _host("types").ScoredOutput(score=found.log_prob, output=output)


@cache
def _provider() -> type[Any]:
    """The provider, with LangExtract's base class."""
    return type("StructgenProvider", (ProviderParts, _host("base_model").BaseLanguageModel), {})


def __getattr__(name: str) -> Any:
    if name == "StructgenProvider":
        return _provider()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
