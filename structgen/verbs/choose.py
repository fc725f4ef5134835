"""The verb `choose`: one of several options, with a probability for each.

Nothing is generated. The denoiser reads the task once, while the answer is still noise, and the lattice gives the
probability of each option among all answers, summed over every way to spell it in tokens. A causal model scores each
option's answer instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from structgen.compiler.constraint import compile
from structgen.documents import Document
from structgen.errors import InvalidDocument, InvalidOption, InvalidSource
from structgen.generation.chooser import Answers, ProbeChooser
from structgen.generation.options import MOST_SEED, check_whole
from structgen.generation.prompts import Form, question_schema, questions_schema
from structgen.generation.runtime import Runtime
from structgen.generation.writer import prompt_ids, refusing_overlong_steps, text_of
from structgen.sources.json_schema import JsonSchema
from structgen.tokens.vocabulary import Vocabulary


@dataclass(frozen=True)
class Choice:
    """The chosen option, and the probabilities of all options in the order given."""

    value: str
    probabilities: Mapping[str, float]

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """All options with their probabilities, the likeliest first."""
        return sorted(self.probabilities.items(), key=lambda one: -one[1])


@refusing_overlong_steps()
def choose(runtime: Runtime, given: str | Document, options: Sequence[str], *, seed: int = 0) -> Choice:
    """The most probable option.

    Raises InvalidDocument if the text is empty, InvalidSource if options are missing, repeated or not strings.
    """
    text = text_of(given, "text")
    if not text.strip():
        raise InvalidDocument("the text is empty: there is nothing to choose by")
    _check(options)
    check_whole("seed", seed, 0, MOST_SEED)
    probabilities = dict(zip(options, weighed(runtime, text, "choice", options, seed), strict=True))
    return Choice(max(options, key=probabilities.__getitem__), probabilities)


def weighed(runtime: Runtime, text: str, name: str, answers: Sequence[object], seed: int) -> list[float]:
    """The probability of each answer, a string, number or boolean, to the question with this name about a text."""
    form = Form.of(JsonSchema(question_schema(name, answers)))
    prompt = prompt_ids(runtime, runtime.prompts.extraction(form, text))
    chooser = runtime.chooser or ProbeChooser(runtime.denoiser)
    constraints = [
        compile(JsonSchema(question_schema(name, [answer])), runtime.vocabulary) for answer in answers
    ]
    ids = [_ids(runtime.vocabulary, name, answer) for answer in answers]
    return chooser.probabilities(prompt, Answers(form.outlined.plain(), constraints, ids), seed).tolist()


def weighed_together(
    runtime: Runtime, text: str, questions: Mapping[str, Sequence[object]], seed: int
) -> dict[str, list[float]]:
    """The probability of each answer to each question, all of which stand on one canvas that is read once.

    That of an answer is summed over the answers to the other questions. Raises InvalidSource if the questions do not
    fit one block, and InvalidOption if the model reads no canvas of noise.
    """
    chooser = runtime.chooser or ProbeChooser(runtime.denoiser)
    if not isinstance(chooser, ProbeChooser):
        raise InvalidOption(f"{runtime.name} weighs one question after the other: leave joint out")
    form = Form.of(JsonSchema(questions_schema(questions)))
    prompt = prompt_ids(runtime, runtime.prompts.extraction(form, text))
    constraints = [
        compile(JsonSchema(questions_schema({**questions, name: [answer]})), runtime.vocabulary)
        for name, answers in questions.items()
        for answer in answers
    ]
    need, room = max(one.min_tokens for one in constraints), runtime.denoiser.block_length
    if need > room:
        raise InvalidSource(
            f"the questions take {need} tokens and one canvas has {room}: ask fewer, or leave joint out"
        )
    groups = [len(answers) for answers in questions.values()]
    asked = Answers(form.outlined.plain(), constraints, (), groups)
    found = chooser.probabilities(prompt, asked, seed).split(groups)
    return {name: shares.tolist() for name, shares in zip(questions, found, strict=True)}


def _check(options: Sequence[str]) -> None:
    if not isinstance(options, list | tuple) or not all(isinstance(option, str) for option in options):
        raise InvalidSource(f"choose needs its options as a list of strings, not {options!r:.80}")
    if len(options) < 2 or len(set(options)) < len(options) or not all(options):
        raise InvalidSource("choose needs at least two options, all different and none of them empty")


def _ids(vocabulary: Vocabulary, name: str, answer: object) -> list[int]:
    """The text of an answer in its usual spelling."""
    end = [] if vocabulary.end is None else [vocabulary.special[vocabulary.end]]
    return [*vocabulary.encode(json.dumps({name: answer}, ensure_ascii=False)), *end]
