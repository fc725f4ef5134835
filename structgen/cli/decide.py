"""`structgen decide`: questions with fixed answers about a text, each answer with its probability."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from structgen.cli.document import read_document
from structgen.cli.failure import Misuse
from structgen.cli.model import loaded, say_if_kernels_compile
from structgen.cli.options import Encoding, Model, Seed
from structgen.cli.terminal import print_json


def decide_command(
    document: Annotated[str, typer.Argument(metavar="DOC", help="A document, or - for stdin.")],
    question: Annotated[
        list[str],
        typer.Option(
            "--question",
            "-q",
            metavar="QUESTION",
            help='"urgent: yes|no" or "anger: 0..5"; may be repeated.',
        ),
    ],
    model: Model = None,
    seed: Seed = 0,
    encoding: Encoding = None,
    compact: Annotated[bool, typer.Option("--compact", help="Print JSON on one line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; decide always does.")] = False,
) -> None:
    """Answer questions about a document, as JSON with the probability of each answer."""
    questions = dict(map(_question, question))
    if len(questions) < len(question):
        raise Misuse("two questions have the same name")
    read = read_document(document, encoding)
    say_if_kernels_compile()
    decision = loaded(model).decide(read, questions, seed=seed)
    answered = {
        name: {
            "value": value,
            "probabilities": {str(one): share for one, share in decision.probabilities[name].items()},
        }
        for name, value in decision.value.items()
    }
    print_json(answered, compact=compact)


def _question(text: str) -> tuple[str, Any]:
    """The name and the answers of a question as it is written on the command line."""
    from structgen.verbs.decide import Score

    name, colon, answers = text.rpartition(":")
    if not colon or not name.strip():
        raise Misuse(f'a question is a name and its answers, as in "urgent: yes|no"; {text!r} has no name')
    least, dots, most = answers.strip().partition("..")
    if dots:
        try:
            return name.strip(), Score(int(least), int(most))
        except ValueError:
            raise Misuse(
                f'a range is two whole numbers, as in "anger: 0..5", not {answers.strip()!r}'
            ) from None
    return name.strip(), [answer.strip() for answer in answers.split("|")]
