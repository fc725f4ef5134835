"""The passage that one of LangExtract's prompts asks about.

LangExtract gives a provider the whole prompt: the task, the examples as questions and answers, and the passage as the
last question. Values may be copied from the passage alone, so it has to be found, whatever stands in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

EXAMPLES = "\nExamples\n"
QUESTION, ANSWER = "\nQ: ", "\nA: "
FENCES = ("```json\n", "```")


@dataclass(frozen=True)
class AskedPassage:
    """The task in words, and the passage to read."""

    task: str
    passage: str


class UnknownPrompt(Exception):
    """The prompt has another form than LangExtract's own, or it is unclear where its passage begins."""


def asked(prompt: str, examples: Sequence[str]) -> AskedPassage:
    """The task and the passage of a prompt; examples: the texts of the examples, in order.

    Raises UnknownPrompt where neither is certain.
    """
    if not prompt.endswith(ANSWER):
        raise UnknownPrompt("the prompt does not end with a question")
    task, at = _past_examples(prompt, examples) if examples else _only_question(prompt)
    return AskedPassage(task.strip(), prompt[at : -len(ANSWER)])


def _past_examples(prompt: str, examples: Sequence[str]) -> tuple[str, int]:
    """The task, and where the passage begins: each example is followed over its answer, so no text can mislead."""
    start = prompt.find(f"{EXAMPLES}Q: {examples[0]}{ANSWER}")
    if start < 0:
        raise UnknownPrompt("the prompt does not begin with the examples")
    at = start + len(EXAMPLES) - 1
    for example in examples:
        question = f"{QUESTION}{example}{ANSWER}"
        if not prompt.startswith(question, at):
            raise UnknownPrompt("an example does not stand where it should")
        at = _past_answer(prompt, at + len(question)) + 1
    if not prompt.startswith(QUESTION, at):
        raise UnknownPrompt("no question follows the examples")
    return prompt[:start], at + len(QUESTION)


def _past_answer(prompt: str, at: int) -> int:
    """Where the JSON of an answer ends, with the fence around it if there is one."""
    opening, closing = FENCES
    fenced = prompt.startswith(opening, at)
    try:
        _, end = json.JSONDecoder().raw_decode(prompt, at + len(opening) * fenced)
    except json.JSONDecodeError:
        raise UnknownPrompt("an example's answer is not JSON: leave out format_type") from None
    return end + (len(f"\n{closing}") if fenced else 0)


def _only_question(prompt: str) -> tuple[str, int]:
    """The same for a prompt without examples, whose only question is the passage."""
    start = prompt.find(QUESTION)
    if start < 0 or prompt.count(QUESTION) > 1:
        raise UnknownPrompt('several lines begin with "Q: ", so the text is not certain: pass an example')
    return prompt[:start], start + len(QUESTION)
