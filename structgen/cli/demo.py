"""`structgen demo`: the embedded model fills an invoice, and its canvas is drawn as it settles.

The model normally settles this canvas in a step or two of a few milliseconds each. The demo therefore extracts twice:
first slowly, keeping few positions a step, for the frames that are drawn; then at full speed, for the object and the
time. What speaks for each value is gathered after that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from io import StringIO
from itertools import zip_longest
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from structgen.cli.failure import write_file
from structgen.cli.model import loaded, say_if_kernels_compile
from structgen.cli.options import Seed, Steps
from structgen.cli.terminal import print_json
from structgen.generation.plain import json_text, json_value

if TYPE_CHECKING:
    from rich.console import Console

    from structgen.cli.draw import BlockPicture, Frame
    from structgen.generation.result import Generation

PACE = 0.35  # seconds that a frame is shown
KEPT = 16  # positions settled in each step that is drawn
DRAWN_STEPS = 6
WIDEST = 100  # cells
MARGIN = 4
AFTERWORD = (
    "The embedded model has ten million parameters and can do little but copy: valid is not the same as right. "
    'sg.load("google/diffusiongemma-26B-A4B-it") puts a large model behind the same call.'
)


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording holds an extraction and the frames of a slower extraction of the same document.

    frames: every step of the slow extraction's last attempt, which settles KEPT positions a step
    seconds: the duration of the extraction at full speed, without that of its evidence
    """

    frames: list[Frame]
    generation: Generation[Any]
    vocabulary: Any
    seconds: float


def demo_command(
    steps: Steps = None,
    seed: Seed = 0,
    fast: Annotated[bool, typer.Option("--fast", help="Replay without pauses.")] = False,
    frames: Annotated[
        bool, typer.Option("--frames", help="Print three frames instead of replaying all.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Draw three frames into this SVG file instead.", metavar="FILE")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page that shows where each value is stated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print value, steps and seconds as JSON.")] = False,
) -> None:
    """Watch the embedded model fill a schema from an invoice."""
    from rich.console import Console

    console = Console(highlight=False)
    first = say_if_kernels_compile()
    if picture is not None:
        write_file(picture, _svg(_record(steps, seed)))
        return
    if as_json:
        recording = _record(steps, seed)
        print_json(_summary(recording))
        _write_page(recording, html)
        return
    _introduce(console)
    if console.is_terminal and not frames:
        with console.status("reading the invoice"):
            recording = _record(steps, seed)
        _replay(console, recording, 0.0 if fast else PACE)
    else:
        recording = _record(steps, seed)
        _print_frames(console, recording)
    _conclude(console, recording, first)
    _write_page(recording, html)


def _record(steps: int | None, seed: int) -> Recording:
    model = loaded()
    frames = _frames(_slowed(model), steps or DRAWN_STEPS, seed)
    begun = time.perf_counter()
    _extracted(model, steps, seed)
    seconds = time.perf_counter() - begun
    return Recording(frames, _extracted(model, steps, seed, details=True), model.vocabulary, seconds)


def _extracted(
    model: Any, steps: int | None, seed: int, *, details: bool = False, on_step: Any = None
) -> Generation[Any]:
    from structgen.cli.invoice import INVOICE_TEXT, Invoice
    from structgen.documents import Document
    from structgen.generation.options import Options
    from structgen.verbs.extract import extract

    document = Document(INVOICE_TEXT, name="the invoice of structgen demo")
    return extract(
        model, document, Invoice, Options(steps=steps, seed=seed, on_step=on_step), details=details
    )


def _write_page(recording: Recording, html: Path | None) -> None:
    if html is not None:
        write_file(html, recording.generation.html())


def _frames(model: Any, steps: int, seed: int) -> list[Frame]:
    """What the canvas shows at each step of the last attempt."""
    from structgen.cli.draw import frame_of, last_attempt

    frames: list[Frame] = []
    _extracted(model, steps, seed, on_step=lambda event: frames.append(frame_of(event)))
    return last_attempt(frames)


def _slowed(model: Any) -> Any:
    """The model, slowed down: a step keeps the KEPT surest positions and a growing share, until all steps are taken."""
    from structgen_engine.decoding.options import Schedule, StoppingRule
    from structgen_engine.decoding.policy import TopK

    pace, stop = Schedule(start=0.0, end=0.6), StoppingRule(entropy=-1.0)
    return replace(model, decoding=replace(model.decoding, policy=TopK(KEPT), pace=pace, stop=stop))


def _summary(recording: Recording) -> dict[str, Any]:
    generation = recording.generation
    return {
        "value": json_value(generation.text),
        "steps": generation.steps,
        "seconds": round(recording.seconds, 3),
    }


def _introduce(console: Console) -> None:
    """Print the document and the class, side by side if there is room."""
    from rich.text import Text

    from structgen.cli.invoice import INVOICE_TEXT

    left, right = (
        ["A document", "", *INVOICE_TEXT.strip().splitlines()],
        ["and a class", "", *_class_source()],
    )
    gap = max(map(len, left)) + 2 * MARGIN
    if console.width < gap + max(map(len, right)):
        lines = [*left, "", *right]
    else:
        lines = [f"{one:{gap}}{other}".rstrip() for one, other in zip_longest(left, right, fillvalue="")]
    console.print(Text("\n".join([*lines, ""])), soft_wrap=True)


def _class_source() -> list[str]:
    from inspect import getsource

    from structgen.cli.invoice import Invoice, Line

    return f"{getsource(Line)}\n{getsource(Invoice)}".strip().splitlines()


def _replay(console: Console, recording: Recording, pace: float) -> None:
    from rich.live import Live

    with Live(console=console, auto_refresh=False, transient=False) as live:
        for number, canvas, frame in _canvases(recording):
            live.update(_panel(console, canvas, frame, number, len(recording.frames)), refresh=True)
            time.sleep(pace)


def _print_frames(console: Console, recording: Recording) -> None:
    """Print the first step and the last two, between which most positions settle."""
    drawn = list(_canvases(recording))
    for index in sorted({0, max(0, len(drawn) - 2), len(drawn) - 1}):
        number, canvas, frame = drawn[index]
        console.print(_panel(console, canvas, frame, number, len(drawn)))


def _svg(recording: Recording) -> str:
    """Three frames with the legend, as an SVG picture of a terminal."""
    from rich.console import Console

    from structgen.cli.draw import legend

    console = Console(
        record=True, width=WIDEST, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    _print_frames(console, recording)
    console.print(legend())
    return console.export_svg(title="structgen demo", unique_id="canvas")


def _canvases(recording: Recording) -> list[tuple[int, BlockPicture, Frame]]:
    """Every frame with its number from 1 and the canvas of its block."""
    from structgen.cli.draw import BlockPicture

    blocks = {frame.block for frame in recording.frames}
    canvases = {
        block: BlockPicture.of(
            recording.vocabulary, [frame for frame in recording.frames if frame.block == block]
        )
        for block in blocks
    }
    return [(number, canvases[frame.block], frame) for number, frame in enumerate(recording.frames, 1)]


def _panel(console: Console, canvas: BlockPicture, frame: Frame, number: int, total: int) -> Any:
    from rich.panel import Panel

    width = min(console.width, WIDEST)
    settled = sum(frame.settled)
    return Panel(
        canvas.draw(frame, width - MARGIN, colours=console.color_system is not None),
        title=f"step {number} of {total}",
        subtitle=f"{settled} of {len(frame.ids)} tokens settled",
        title_align="left",
        subtitle_align="right",
        border_style="dim",
        width=width,
    )


def _sureness(generation: Generation[Any]) -> Any:
    """How sure each value is, one a line, with what speaks against it."""
    from rich.text import Text

    from structgen.generation.result import entries

    rows = entries(generation.text, generation.evidence)
    width = max(len(row.pointer) for row in rows)
    lines = [f"{row.pointer:{width}}  {row.percent:>5}  {'; '.join(row.doubts)}".rstrip() for row in rows]
    heading = Text("How likely each value is right:" if generation.calibrated else "How sure each value is:")
    return Text("\n").join([heading, *(Text(line, style="dim") for line in lines)])


def _conclude(console: Console, recording: Recording, first: bool) -> None:
    from rich.text import Text

    from structgen.cli.draw import legend

    generation = recording.generation
    if console.color_system is not None:
        console.print(legend())
    console.print(Text(f"\n{json_text(json_value(generation.text))}\n"), soft_wrap=True)
    console.print(_sureness(generation), soft_wrap=True)
    compiled = ", kernels compiled for this run and later ones" if first else ""
    taken = f"{generation.steps} step{'s' * (generation.steps != 1)}"
    console.print(
        Text(
            f"{len(generation.ids)} tokens in {taken}, {recording.seconds:.2f} seconds{compiled}. "
            f"The frames above keep {KEPT} more tokens a step, so that the eye can follow.",
        ),
        soft_wrap=True,
    )
    console.print(Text(fill(AFTERWORD, min(console.width, WIDEST)), style="dim"), soft_wrap=True)
