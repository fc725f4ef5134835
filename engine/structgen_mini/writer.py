"""The writer of the embedded model: it lays out slots, fills them, and prefers copies of the document.

A small denoiser copies well and counts badly. So the writer pins the skeleton of the answer, finds from the model and
the document how many items there are, offers the document's own words, numbers and dates to the slots, and enlarges
slots that are filled to the brim. All of this is preference: the automaton alone decides what is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from structgen_engine.automata.arrays import NEVER
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.decoding.blocks import admits, first_block
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.loop import Decoded, StepEvent, decoding, drained
from structgen_engine.decoding.options import DecodingOptions
from structgen_engine.decoding.row import BudgetTooSmall, Review, needed
from structgen_mini.alternatives import description, nearness
from structgen_mini.canvas import Canvas
from structgen_mini.copies import Offer, copying
from structgen_mini.counting import coherent
from structgen_mini.layout import (
    Layout,
    count_weights,
    counted,
    first_layout,
    first_look,
    grown,
    item_slots,
    lay,
)
from structgen_mini.listing import Viewing, cut, listed
from structgen_mini.outline import Outline
from structgen_mini.placing import OPEN
from structgen_mini.reader.reading import DocumentReading
from structgen_mini.room import goes_on, with_room
from structgen_mini.selecting import with_stated


class Kind(Protocol):
    """One form that an answer may have."""

    @property
    def outline(self) -> Mapping[str, Any]:
        """The outline of such answers, in plain values."""
        ...

    @property
    def opening(self) -> str:
        """How such answers begin, as far as that tells them from the others."""
        ...

    @property
    def description(self) -> str | None:
        """The words by which a text asks for this kind; None if it has no description."""
        ...


class Request(Protocol):
    """An answer that the writer is asked for.

    prompt: token ids; automaton: of whole answers; max_tokens: the budget; document: the text that the prompt asks
    about; kinds: the forms that the answer may have, empty if nothing is known of its form
    partial: whether a part of a list is enough where the budget does not hold all of it
    """

    @property
    def prompt(self) -> Sequence[int]: ...
    @property
    def automaton(self) -> TokenAutomaton: ...
    @property
    def max_tokens(self) -> int: ...
    @property
    def options(self) -> DecodingOptions: ...
    @property
    def seed(self) -> int: ...
    @property
    def document(self) -> str | None: ...
    @property
    def kinds(self) -> Sequence[Kind]: ...
    @property
    def partial(self) -> bool: ...
    @property
    def on_step(self) -> Callable[[StepEvent], None] | None: ...

    def reviewer(self) -> Review | None:
        """A review of one output."""
        ...


@dataclass(frozen=True, eq=False)
class MiniWriter:
    """The writer that fills layouts.

    overlap: how much of each of several options a text has, 0 … 1; None if the model tells kinds apart by itself
    copies: whether slots prefer copies of the document; reader: reads a document for the fields of an outline
    """

    canvas: Canvas
    overlap: Callable[[str, Sequence[str]], Sequence[float]] | None = None
    copies: bool = True
    reader: Callable[[Outline, str], DocumentReading] | None = None

    def over(self, denoiser: Denoiser) -> MiniWriter:
        """The same writer with another denoiser of this model."""
        return replace(self, canvas=replace(self.canvas, denoiser=denoiser))

    def writing(self, task: Request) -> Generator[StepEvent, None, Decoded]:
        """Fill blocks until the automaton accepts them; `steps` counts every attempt at a layout.

        Raises BudgetTooSmall if the budget is below the fewest tokens of any answer.
        """
        written, _ = yield from self.filling_layouts(task)
        return written

    def filled(self, task: Request) -> tuple[Decoded, Layout | None]:
        """What `writing` returns, and the layout that was filled last."""
        return drained(self.filling_layouts(task), task.on_step)

    def filling_layouts(self, task: Request) -> Generator[StepEvent, None, tuple[Decoded, Layout | None]]:
        """`writing`, and the layout filled last: with the likeliest number of items, and full slots enlarged."""
        writer, steps = replace(self, canvas=self.canvas.reading(task.prompt)), 0
        layout, offer = writer.layout(task), None
        if layout is not None:
            offer = self.offer(layout, task.document or "") if self.copies else None
            if offer is not None and offer.outline is not layout.outline:
                layout = first_layout(writer.canvas, offer.outline) or layout
            if offer is not None:
                writer = replace(writer, canvas=with_room(writer.canvas, offer))
                layout = first_layout(writer.canvas, layout.outline) or layout
            layout = writer._admitted(task, writer._laid_out(task, layout, offer))
        attempts = self.canvas.constants.layouts.attempts
        for attempt in range(attempts):
            final = layout is None or attempt + 1 == attempts
            written = yield from writer._filling(task, layout, offer, final=final)
            steps += written.steps
            larger = None
            if layout is not None and attempt + 1 < attempts:
                longer = None if offer is None else partial(goes_on, offer)
                larger = grown(writer.canvas, layout, tuple(written.ids.tolist()), longer)
                larger = larger and writer._admitted(task, larger)
            if larger is None:
                break
            layout = larger
        return replace(written, steps=steps), layout

    def layout(self, task: Request) -> Layout | None:
        """The layout of the likeliest kind of answer, with open arrays; None if it does not fit the block."""
        kinds = task.kinds
        if not kinds:
            return None
        index = 0 if len(kinds) == 1 else int(self._likely(task).argmax())
        outline = Outline.of(kinds[index].outline)
        return first_layout(self.canvas, self._nearest(outline, task.document or ""))

    def offer(self, layout: Layout, document: str) -> Offer:
        """The copies of a document for a layout, with the reader's opinion of them where there is a reader."""
        if self.reader is None or not document.strip():
            return Offer(self.canvas, document, layout.outline)
        reading = self.reader(layout.outline, document)
        outline = with_stated(layout.outline, reading, self.canvas.constants.reading.absent)
        return Offer(self.canvas, document, outline, reading)

    def pinned(self, outline: Mapping[str, Any]) -> tuple[int, ...] | None:
        """The ids that the layout of an answer pins in the first block, −1 where it is open; padding may follow."""
        layout = first_layout(self.canvas, Outline.of(outline))
        return None if layout is None else tuple(layout.block)

    def filling(self, layout: Layout, offer: Offer | None) -> Canvas:
        """The canvas of a layout, with a denoiser that prefers copies in its slots."""
        canvas = self.canvas.cut(layout.size)
        copier = None if offer is None else copying(canvas, offer, layout)
        return canvas if copier is None else replace(canvas, denoiser=copier)

    def _laid_out(self, task: Request, layout: Layout, offer: Offer | None) -> Layout:
        """The layout with the likeliest number of items in every array, or as many as the document lists."""
        room = {slot.pointer: len(ids) - 1 for slot, ids in item_slots(self.canvas, layout).items()}
        layout = self._counted(task, layout, offer)
        if offer is None or not layout.counts:
            return layout
        chosen = {at: len(options) for at, options in offer.chosen.items() if at in layout.counts}
        if chosen:
            layout = lay(self.canvas, layout.outline, layout.sizes, {**layout.counts, **chosen}) or layout
        look = Viewing(self.canvas, offer, task.automaton, task.prompt, task.seed)
        whole = listed(look, layout, room)
        if whole.listings and len(whole.block) > task.max_tokens:
            return self._fitted(task, look, whole)
        return whole

    def _fitted(self, task: Request, look: Viewing, layout: Layout) -> Layout:
        """The layout with as many items as the budget holds; raises BudgetTooSmall if the request wants all of them."""
        longest = max(layout.listings, key=lambda pointer: layout.counts[pointer])
        if not task.partial:
            need = f"the document lists {layout.counts[longest]} items for {longest or 'the answer'}, which take "
            tokens = len(layout.block)
            raise BudgetTooSmall(0, tokens, task.max_tokens, need=f"{need}{tokens} tokens")
        return cut(look.canvas, layout, longest, task.max_tokens)

    def _counted(self, task: Request, layout: Layout, offer: Offer | None) -> Layout:
        """The layout with the likeliest number of items in every array."""
        asked = task.automaton, task.prompt
        weights = count_weights(self.canvas, layout, *asked, torch.Generator().manual_seed(task.seed))
        if offer is not None:
            weights = coherent(self.canvas, layout, weights, offer, *asked, task.seed)
        return counted(self.canvas, layout, weights)

    def decoded(self, task: Request, layout: Layout | None, offer: Offer | None = None) -> Decoded:
        """Fill one layout as it is, or an empty canvas if it is None."""
        return drained(self._filling(task, layout, offer))

    def _filling(
        self, task: Request, layout: Layout | None, offer: Offer | None, *, final: bool = True
    ) -> Generator[StepEvent, None, Decoded]:
        """`decoded` step by step; final: whether no other attempt can follow."""
        canvas = self.canvas if layout is None else self.filling(layout, offer)
        steps = decoding(
            canvas.denoiser,
            [task.prompt],
            [task.automaton],
            max_tokens=task.max_tokens,
            options=task.options,
            pad_id=max(self.canvas.spelling.pad_id, 0),
            generators=[torch.Generator().manual_seed(task.seed)],
            scaffold=None if layout is None else [torch.tensor(layout.block)],
            reviews=[task.reviewer()],
        )
        written = yield from (steps if final else _unsettled(steps))
        return written[0]

    def _admitted(self, task: Request, layout: Layout) -> Layout | None:
        """The layout if an accepted answer within the budget has its ids; otherwise None."""
        remaining = task.max_tokens - layout.size
        if len(layout.block) > task.max_tokens:
            return None
        first = torch.tensor(layout.block[: layout.size])
        return layout if admits(first_block(task.automaton, remaining), first) else None

    def _nearest(self, outline: Outline, document: str) -> Outline:
        """The alternative of a union of objects that the document is nearest to; any other outline unchanged."""
        options = outline.alternatives
        if not options or self.overlap is None:
            return outline
        near = nearness(self.overlap, document, [description(option) for option in options], self._keenness)
        return options[int(near.argmax())]

    def _likely(self, task: Request) -> Tensor:
        """Weight [kinds] of each kind of answer.

        The lattice says how likely the described kinds are together; the overlap of words says which of them it is.
        """
        described = torch.tensor([kind.description is not None for kind in task.kinds])
        near = None
        if self.overlap is not None and described.any():
            words = [kind.description for kind in task.kinds if kind.description is not None]
            near = nearness(self.overlap, task.document or "", words, self._keenness)
        if near is not None and described.all():
            return near
        weights = self._begun(task)
        if near is not None:
            weights[described] = weights[described].sum() * near
        return weights

    @property
    def _keenness(self) -> float:
        return self.canvas.constants.alternatives.keenness

    def _begun(self, task: Request) -> Tensor:
        """Probability [kinds] that an answer begins as each kind does, without white space."""
        canvas = self.canvas
        open_block = [OPEN] * canvas.denoiser.block_length
        openings = [[*canvas.spelling.encode(kind.opening)][: len(open_block)] for kind in task.kinds]
        lengths = [len(opening) + needed(task.automaton, opening) for opening in openings]
        longest = max((length for length in lengths if length < NEVER), default=0)
        generator, remaining = torch.Generator().manual_seed(task.seed), max(0, longest - len(open_block))
        seen = first_look(canvas, open_block, task.automaton, task.prompt, generator, remaining=remaining)
        weights = []
        for opening in openings:
            begun = torch.tensor([*opening, *open_block[len(opening) :]])
            weights.append(seen.log_prob(begun).exp().mean())
        return torch.stack(weights)


def _unsettled(
    steps: Generator[StepEvent, None, list[Decoded]],
) -> Generator[StepEvent, None, list[Decoded]]:
    """The same steps, all of which may be begun anew."""
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value
        yield replace(event, settled=None)
