"""The canvas of a diffusion model as text that settles in place.

Every position keeps the width of the token it ends up with, so nothing moves while noise turns into text: a noisy
token is cut or filled to that width.

Axes: B requests, N positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

if TYPE_CHECKING:
    from structgen.tokens.vocabulary import Vocabulary
    from structgen_engine.decoding.loop import StepEvent

BLANK = "·"  # the null token and padding
NOISE = "░"  # an open position, on terminals without colours
UNREADABLE = "¿"  # part of a character, or a character that terminals do not show
VISIBLE = str.maketrans({"\n": "⏎", "\t": "⇥", "\r": "␍", "\N{REPLACEMENT CHARACTER}": UNREADABLE})
VALUE, SKELETON, VOID = "bold green", "none", "dim"
HEAT = ("yellow", "color(136)", "color(131)", "color(96)", "color(240)")  # from nearly sure to no idea
NATS_PER_SHADE = 1.5


@dataclass(frozen=True)
class Frame:
    """A frame is the canvas after one refinement step.

    ids: [N] tokens; settled: [N] whether the position is accepted; free: [N] whether the model had a choice;
    entropies: [N] nats
    """

    block: int
    step: int
    ids: tuple[int, ...]
    settled: tuple[bool, ...]
    free: tuple[bool, ...]
    entropies: tuple[float, ...]


def frame_of(event: StepEvent) -> Frame:
    """The frame of the first request's canvas at a step."""
    return Frame(
        event.block,
        event.step,
        tuple(event.canvas[0].tolist()),
        tuple(event.accepted[0].tolist()),
        tuple(event.beliefs.free[0].tolist()),
        tuple(event.beliefs.entropy[0].tolist()),
    )


def last_attempt(frames: Sequence[Frame]) -> list[Frame]:
    """The frames since the decoder last restarted: an extraction restarts when a slot was too small."""
    starts = [i for i, frame in enumerate(frames) if frame.block == 0 and frame.step == 0]
    return list(frames[starts[-1] :]) if starts else []


@dataclass(frozen=True, eq=False)
class BlockPicture:
    """A canvas says how one block is drawn; its final ids [N] determine the layout."""

    vocabulary: Vocabulary
    final: tuple[int, ...]
    skeleton: tuple[bool, ...]  # [N] whether the model had no choice from the first step on

    @classmethod
    def of(cls, vocabulary: Vocabulary, frames: Sequence[Frame]) -> BlockPicture:
        """The canvas of the frames of one block."""
        return cls(vocabulary, frames[-1].ids, tuple(not free for free in frames[0].free))

    def draw(self, frame: Frame, width: int, *, colours: bool = True) -> Text:
        """The frame in lines of at most `width` cells; without colours noise is shaded."""
        drawn, column = Text(no_wrap=True), 0
        for position, token_id in enumerate(self.final):
            cells = cell_len(shown(self.vocabulary, token_id))
            if column and column + cells > width:
                drawn.append("\n")
                column = 0
            drawn.append(*self._token(frame, position, cells, colours))
            column += cells
        return drawn

    def _token(self, frame: Frame, position: int, cells: int, colours: bool) -> tuple[str, str]:
        text = shown(self.vocabulary, frame.ids[position])
        if frame.settled[position]:
            style = VOID if text == BLANK else SKELETON if self.skeleton[position] else VALUE
            return set_cell_size(text, cells), style
        if not colours:
            return NOISE * cells, ""
        shade = min(int(frame.entropies[position] / NATS_PER_SHADE), len(HEAT) - 1)
        return set_cell_size(text, cells), HEAT[shade]


def shown(vocabulary: Vocabulary, token_id: int) -> str:
    """The text that the canvas shows for a token; a token that spells nothing is shown as BLANK."""
    text = vocabulary.spelling(token_id).decode(errors="replace").translate(VISIBLE)
    printable = "".join(char if char.isprintable() else UNREADABLE for char in text)
    return printable if cell_len(printable) else BLANK


def legend() -> Text:
    """The legend that explains the styles."""
    return Text.assemble(
        ("structure", SKELETON), "  ", ("settled value", VALUE), "  ", ("noise", HEAT[0]), (" that is", "dim"),
        (" less", HEAT[2]), (" and less", HEAT[3]), (" certain", HEAT[4]), "  ", (f"{BLANK} empty", VOID),
    )  # fmt: skip
