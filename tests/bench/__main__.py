"""`python -m bench`: the benchmark tables, each a command of its own."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(add_completion=False, help=__doc__)
SHARED = Path(__file__).parents[3] / "shared" / "data"

Tokenizer = Annotated[Path, typer.Option(help="A tokenizer.json, gzipped or not.")]


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Without a command: the step benchmark."""
    if context.invoked_subcommand is None:
        step()


@app.command()
def step(tokenizer: Tokenizer = SHARED / "gemma3.tokenizer.json.gz", rounds: int = 5, batch: int = 1) -> None:
    """Compile times on a real vocabulary, and one refinement step against one softmax."""
    from bench.step import run

    with tempfile.TemporaryDirectory() as folder:
        run(_unpacked(tokenizer, Path(folder)), Console(width=110), rounds=rounds, batch=batch)


@app.command()
def extract(documents: int = 100, steps: int = 16, model: Path | None = None) -> None:
    """Field accuracy on held-out documents, constrained and not, with and without scaffolds."""
    import structgen
    from bench.extract import run

    run(structgen.load(model), Console(width=120), documents=documents, steps=steps)


@app.command()
def causal(path: Path, documents: int = 10) -> None:
    """A causal model read as a parallel denoiser: validity, passes and fields on the hand-written documents."""
    from bench.causal import run

    run(path, documents=documents)


def _unpacked(path: Path, folder: Path) -> Path:
    if not path.exists():
        raise typer.BadParameter(f"{path} does not exist; name a tokenizer.json with --tokenizer")
    if path.suffix != ".gz":
        return path
    target = folder / path.stem
    target.write_bytes(gzip.decompress(path.read_bytes()))
    return target


if __name__ == "__main__":
    app()
