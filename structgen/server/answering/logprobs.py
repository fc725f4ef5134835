"""The log-probability of each token of an answer, given all the others and the constraint.

A diffusion model has no next token. After the last step every token is known, so what can be said of one is how
probable it is in its place while all others stay: the lattice of one position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from structgen.evidence.gather import padding
from structgen.evidence.looks import blocks
from structgen.generation.request import Request
from structgen.model import Model
from structgen_engine.decoding.loop import Decoded
from structgen_engine.decoding.probe import probed
from structgen_engine.decoding.region import region


@dataclass(frozen=True)
class TokenLogprob:
    """A token with its log-probability (nats); top: the likeliest tokens in its place with theirs."""

    text: str
    spelled: tuple[int, ...]
    nats: float
    top: Sequence[TokenLogprob] = ()


def token_logprobs(model: Model, asked: Request, written: Decoded, top: int) -> list[TokenLogprob]:
    """The tokens of an answer that spell something, each with `top` alternatives."""
    denoiser, vocabulary = written.denoiser, model.vocabulary
    if denoiser is None:
        return []
    found: list[TokenLogprob] = []
    for block in blocks(denoiser, asked, written.ids, padding(model)):
        logits = probed(denoiser, block.context, [block.part], block.ids[None], block.ids[None])[0]
        for place, token in enumerate(block.ids.tolist()):
            if not vocabulary.spelling(token):
                continue
            lattice = region(block.part, block.ids, place, place + 1, logits)
            nats = lattice.log_prob([{token: 1}, {}])
            ranked = lattice.heaviest(2 * top) if top else ()
            others = [
                _spelled(spelled, share) for ids, share in ranked if (spelled := vocabulary.spelling(ids[0]))
            ]
            spelled = vocabulary.spelling(token)
            found.append(TokenLogprob(_shown(spelled), tuple(spelled), min(0.0, nats), others[:top]))
    return found


def _spelled(spelling: bytes, nats: float) -> TokenLogprob:
    return TokenLogprob(_shown(spelling), tuple(spelling), min(0.0, nats))


def _shown(spelling: bytes) -> str:
    return spelling.decode(errors="replace")
