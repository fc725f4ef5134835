"""Every GPU kernel equals its float64 reference, on poisoned memory, for batches of different automata."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import Tensor

from gpu_cases import DEVICE, IMPOSSIBLE, close, logits_for, poisoned, random_dfa, random_row
from structgen_engine.automata.dfa import Alphabet, BlockAutomaton, Dfa
from structgen_engine.kernels import gpu, reference
from structgen_engine.kernels.gpu import classes, fields, pairs, paths, scans, tables, tokens, trees
from structgen_engine.kernels.gpu.layout import AlphabetLayout, AutomatonLayout
from structgen_engine.kernels.gpu.pool import pool_of
from structgen_engine.kernels.gpu.posterior import Marginals, marginals
from structgen_engine.lattice.class_scores import _joined

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
KINDS = ("plain", "peaked", "holes")
SIZES = (
    {"states": 9, "classes": 7, "tokens": 40},
    {"states": 3, "classes": 3, "tokens": 5, "live": 0.9},
    {"states": 21, "classes": 30, "tokens": 90, "live": 0.3},
)
N = 3


@pytest.fixture(autouse=True)
def loud_memory() -> Iterator[None]:
    with poisoned():
        yield


@pytest.fixture(params=[2, 16], ids=["many levels", "one level"])
def width(request: pytest.FixtureRequest) -> Iterator[int]:
    """Trees with rows this wide: the narrow ones need several levels."""
    with patch.object(tables, "WIDTH", request.param):
        yield request.param


def batch() -> list[BlockAutomaton]:
    return [random_row(seed, **sizes) for seed, sizes in enumerate(SIZES)]


def weights_of(rows: list[BlockAutomaton], seed: int, kind: str) -> list[Tensor]:
    """[1, N, K] float64 class weights of each row."""
    return [logits_for(seed + b, (1, N, row.dfa.alphabet.size), kind).double() for b, row in enumerate(rows)]


def flat(parts: list[Tensor]) -> Tensor:
    return torch.cat([part.reshape(-1) for part in parts])


def cut(table: Tensor, widths: list[int]) -> list[Tensor]:
    """The rows [1, N, width] of a flat table."""
    pieces = table.split([N * width for width in widths])
    return [piece.view(1, N, width) for piece, width in zip(pieces, widths, strict=True)]


def messages_of(
    pairs_: Tensor, layout: AutomatonLayout, field: int, rows: list[BlockAutomaton]
) -> list[Tensor]:
    """The rows [1, N + 1, S] in nats."""
    found = []
    for line, row in zip(layout.lines.tolist(), rows, strict=True):
        states, at = row.dfa.states, line[field + 2]
        found.append(pairs.nats(pairs_[at : at + (N + 1) * states]).view(1, N + 1, states))
    return found


def swept(
    layout: AutomatonLayout, weights: list[Tensor], start: Tensor, end: Tensor
) -> tuple[Tensor, Tensor]:
    """Alpha and beta of a batch."""
    bundles, alpha, beta = (
        torch.empty(layout.sizes[name], dtype=torch.int64, device=DEVICE)
        for name in ("sets", "entering", "leaving")
    )
    nothing, log_sum = torch.empty(0, dtype=torch.float64, device=DEVICE), flat(weights)
    scans.bundle(layout, log_sum, log_sum, bundles, nothing, scans.SUMS)
    scans.scan(layout, bundles, nothing, start, end, alpha, beta, nothing, scans.BOTH)
    return alpha, beta


class TestTrees:
    @pytest.mark.parametrize("width", [2, 4, 32])
    @pytest.mark.parametrize("counts", [[0, 1, 2, 3, 100, 5], [0], [33, 0, 32], []])
    def test_every_item_reaches_its_own_segment_once(self, counts: list[int], width: int) -> None:
        counts_ = np.array(counts, np.int64)
        weight = np.random.default_rng(0).integers(1, 1000, counts_.sum())
        made = trees.tree(counts_, np.arange(counts_.sum()), None, width)
        values, sums = np.full(len(counts), -1), np.full(made.partial, -1)
        rows = made.first.reshape(-1, width)
        for level, (low, high) in enumerate(zip(made.levels[:-1], made.levels[1:], strict=True)):
            source = sums if level else weight
            for row in range(low, high):
                out, total = made.out[row], source[rows[row][rows[row] >= 0]].sum()
                if out >= 0:
                    values[out] = total
                else:
                    sums[-1 - out] = total
        owner = np.repeat(np.arange(len(counts)), counts_)
        assert (values == np.bincount(owner, weight, len(counts))).all()


class TestClassScores:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_batch_of_different_alphabets_equals_the_reference(self, kind: str) -> None:
        alphabets = [random_dfa(seed, **sizes).alphabet for seed, sizes in enumerate(SIZES)]
        logits = logits_for(0, (3, N, 100), kind)
        logits[1, 0] = IMPOSSIBLE
        settled = torch.tensor(
            [[-1, 7, -1], [-1, -1, 77], [0, -1, -1]], device=DEVICE
        )  # 77 is unknown to its alphabet
        temperature = torch.tensor([0.4, 1.0, 2.5], dtype=torch.float64, device=DEVICE)
        layout = AlphabetLayout.of(alphabets, N, pool_of(torch.device(DEVICE)))
        out = classes.Scores.empty(layout)
        classes.score(layout, logits, settled, temperature, out)
        sizes = [alphabet.size for alphabet in alphabets]
        for name, tolerance in (("log_sum", 1e-6), ("entropy", 2e-6), ("peak", 0.0), ("count", 0.0)):
            found = cut(getattr(out, name), sizes)
            for b, alphabet in enumerate(alphabets):
                degree = float(temperature[b])
                truth = reference.class_scores(
                    logits[b : b + 1].double(), alphabet, settled=settled[b : b + 1], temperature=degree
                )
                assert close(found[b], getattr(truth, name), tolerance), (name, b)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
    def test_strided_views_of_any_type_are_read_in_place(self, dtype: torch.dtype) -> None:
        """Around the view stands NaN. One class fills seventeen wide chunks, one a part of one, the rest narrow."""
        labels = torch.ones(36_000, dtype=torch.int32)
        labels[::40], labels[5::50], labels[:20], labels[20] = 2, 3, 4, 0
        whole = torch.full((2, 4, 2 * 36_000 + 3), float("nan"), dtype=dtype, device=DEVICE)
        view = whole[:, 1:3, 1:-2:2]
        view.copy_(logits_for(1, (2, 2, 36_000), "holes"))
        alphabet = Alphabet(labels, 6)
        found = gpu.class_scores(view, alphabet, temperature=0.7)
        truth = reference.class_scores(view.double(), alphabet, temperature=0.7)
        assert close(found.log_sum, truth.log_sum, 1e-6)
        assert close(found.entropy, truth.entropy, 3e-6)
        assert close(found.peak, truth.peak, 0.0)
        assert torch.equal(found.count, truth.count)

    @pytest.mark.parametrize("poison", [float("nan"), float("inf")])
    def test_what_has_left_the_reals_is_seen(self, poison: float) -> None:
        alphabet = random_dfa(0, **SIZES[0]).alphabet
        logits = torch.full((1, 1, 40), IMPOSSIBLE, device=DEVICE)
        token = int((alphabet.class_of == 2).nonzero()[0])
        logits[0, 0, token] = poison
        found = gpu.class_scores(logits, alphabet)
        assert not found.log_sum[0, 0, 2] < float("inf")


class TestScans:
    @pytest.mark.parametrize("kind", KINDS)
    def test_prefixes_and_suffixes_of_a_ragged_batch_equal_the_reference(self, kind: str, width: int) -> None:
        rows = batch()
        layout, weights = self.layout(rows), weights_of(rows, 3, kind)
        start, end = flat([r.entry for r in rows]).double(), flat([r.exit for r in rows]).double()
        alpha, beta = swept(layout, weights, start.to(DEVICE), end.to(DEVICE))
        prefixes = messages_of(alpha, layout, fields.ENTERING.value, rows)
        suffixes = messages_of(beta, layout, fields.LEAVING.value, rows)
        for b, row in enumerate(rows):
            entry, exit_ = row.entry.double().to(DEVICE)[None], row.exit.double().to(DEVICE)[None]
            assert close(prefixes[b], reference.forward(weights[b], row.dfa, entry), 1e-6), b
            assert close(suffixes[b], reference.backward(weights[b], row.dfa, exit_), 1e-6), b

    def layout(self, rows: list[BlockAutomaton]) -> AutomatonLayout:
        return AutomatonLayout.of([row.dfa for row in rows], N, pool_of(torch.device(DEVICE)))

    def test_weights_of_fifty_thousand_nats_keep_their_digits(self) -> None:
        """From 1 to exp(−51,200) and back: neither end is lost beside the other."""
        delta = torch.zeros(4, 3, dtype=torch.int32)
        delta[1, 1], delta[2, 1], delta[1, 2], delta[3, 2] = 2, 2, 3, 3  # 1* or 2*
        dfa = Dfa(
            Alphabet(torch.tensor([0, 1, 2], dtype=torch.int32), 3),
            delta,
            torch.tensor([False, False, True, True]),
            1,
        )
        weights = torch.tensor([IMPOSSIBLE, -3200.0, 0.0], dtype=torch.float64, device=DEVICE).expand(
            1, 16, 3
        )
        end = torch.tensor([[IMPOSSIBLE, IMPOSSIBLE, 0.0, 0.0]], dtype=torch.float64, device=DEVICE)
        beta = gpu.nats(gpu.backward(weights, dfa, end))[0, 0]
        assert close(beta[2:], torch.tensor([-51200.0, 0.0]), 1e-9)
        assert beta[1] == 0.0


class TestPosterior:
    @pytest.mark.parametrize("kind", KINDS)
    def test_marginals_and_beliefs_of_a_ragged_batch_equal_the_reference(self, kind: str, width: int) -> None:
        rows = batch()
        layout, weights = TestScans().layout(rows), weights_of(rows, 5, kind)
        generator = torch.Generator().manual_seed(0)
        doubt = [torch.rand(w.shape, generator=generator, dtype=torch.float64).to(DEVICE) for w in weights]
        counts = [
            torch.randint(1, 3, w.shape, generator=generator, dtype=torch.int32).to(DEVICE) for w in weights
        ]
        alpha, beta, out = self.messages(rows, layout, weights)
        nothing = torch.empty(0)
        scores = classes.Scores(
            nothing,
            nothing,
            nothing,
            nothing,
            flat(weights),
            flat(doubt),
            flat([w - 0.5 for w in weights]),
            flat(counts),
        )
        marginals(layout, scores, alpha, beta, out)
        sizes = [row.dfa.alphabet.size for row in rows]
        found = cut(out.classes, sizes), cut(out.possible, sizes)
        for b, row in enumerate(rows):
            entry, exit_ = row.entry.double().to(DEVICE)[None], row.exit.double().to(DEVICE)[None]
            beta = reference.backward(weights[b], row.dfa, exit_)
            truth = reference.posterior(weights[b], counts[b], row.dfa, entry, beta)
            assert close(found[0][b], truth.classes, 1e-6)
            ahead = reference.forward(weights[b], row.dfa, entry)
            assert torch.equal(found[1][b], reference.possible(weights[b], row.dfa, ahead, beta))
            assert torch.equal(out.free[b], truth.free[0])
            q = truth.classes[0]
            assert close(out.entropy[b], torch.special.entr(q).sum(-1) + (q * doubt[b][0]).sum(-1), 2e-6)
            assert close(out.top[b], q.amax(-1) * np.exp(-0.5), 1e-6)

    def messages(
        self, rows: list[BlockAutomaton], layout: AutomatonLayout, weights: list[Tensor]
    ) -> tuple[Tensor, Tensor, Marginals]:
        start, end = (flat(x).double().to(DEVICE) for x in ([r.entry for r in rows], [r.exit for r in rows]))
        return *swept(layout, weights, start, end), Marginals.empty(layout)


class TestPaths:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_draw_from_the_same_uniforms_is_the_references(self, kind: str) -> None:
        rows = batch()
        layout, weights = TestScans().layout(rows), weights_of(rows, 7, kind)
        _, beta, _ = TestPosterior().messages(rows, layout, weights)
        uniforms = torch.rand(3, N + 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(
            DEVICE
        )
        walks, nothing = paths.Walks.empty(3, N, torch.device(DEVICE)), torch.empty(0, device=DEVICE)
        labels, log_z = walks.labels, walks.log_partition
        start = flat([row.entry for row in rows]).double().to(DEVICE)
        log_sum = flat(weights)
        paths.walk(layout, log_sum, log_sum, start, beta, nothing, uniforms, walks, paths.DRAWN)
        for b, row in enumerate(rows):
            entry, exit_ = row.entry.double().to(DEVICE)[None], row.exit.double().to(DEVICE)[None]
            suffixes = reference.backward(weights[b], row.dfa, exit_)
            assert close(log_z[b : b + 1], reference.log_partition(suffixes, entry), 1e-6)
            if log_z[b] > IMPOSSIBLE:
                drawn = reference.sample(weights[b], row.dfa, entry, suffixes, uniforms[b : b + 1])
                assert torch.equal(labels[b], drawn[0])

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_heaviest_path_is_the_references(self, kind: str, width: int) -> None:
        for row, peaks in zip(batch(), weights_of(batch(), 9, kind), strict=True):
            ends = row.entry.double().to(DEVICE)[None], row.exit.double().to(DEVICE)[None]
            labels, weight = gpu.best(peaks, row.dfa, *ends)
            expected, heaviest = reference.best(peaks, row.dfa, *ends)
            assert close(weight, heaviest, 1e-15)
            assert weight == IMPOSSIBLE or torch.equal(labels, expected)


class TestTokens:
    LABELS = torch.ones(5000, dtype=torch.int32)
    LABELS[::3], LABELS[1::100], LABELS[7], LABELS[9] = 2, 3, 4, 0

    @pytest.mark.parametrize("gap", [700.0, 746.0, 1e5])
    def test_a_chunk_far_below_the_best_of_its_class_is_never_drawn(self, gap: float) -> None:
        alphabet = Alphabet(torch.ones(5000, dtype=torch.int32), 2)
        logits = torch.zeros(1, 3, 5000, device=DEVICE)
        logits[0, [0, 1, 2], [3, 2500, 4999]] = gap * 0.0107 + 1
        settled, labels = (
            torch.full((1, 3), -1, device=DEVICE),
            torch.ones(1, 3, dtype=torch.int64, device=DEVICE),
        )
        scores = gpu.class_scores(logits, alphabet, settled=settled, temperature=0.0107)
        for uniform in (0.0, 0.5, 1 - 2**-53):
            uniforms = torch.full((1, 3), uniform, dtype=torch.float64, device=DEVICE)
            ids = gpu.draw_tokens(logits, alphabet, scores, labels, uniforms, temperature=0.0107)
            assert ids.tolist() == [[3, 2500, 4999]]

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_token_is_drawn_where_its_uniform_falls_in_the_class(self, kind: str) -> None:
        """The token's interval of cumulated shares holds the uniform, up to float32."""
        alphabet = Alphabet(self.LABELS, 5)
        logits = logits_for(2, (2, 5, 5100), kind)
        settled = torch.full((2, 5), -1, device=DEVICE)
        settled[1, 2] = 4321
        labels = torch.tensor([[1, 2, 3, 4, 1], [1, 1, 2, 2, 3]], device=DEVICE)
        uniforms = torch.rand(2, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64).to(
            DEVICE
        )
        uniforms[0, 0], uniforms[1, 1] = 0.0, 1 - 2**-53
        scores = gpu.class_scores(logits, alphabet, settled=settled, temperature=0.8)
        ids = gpu.draw_tokens(logits, alphabet, scores, labels, uniforms, temperature=0.8)
        assert ids[1, 2] == 4321
        for b, i in (settled < 0).nonzero().tolist():
            inside = (logits[b, i, :5000].double() / 0.8).cpu()
            inside[labels[b, i].cpu() != self.LABELS] = IMPOSSIBLE
            if inside.max() == IMPOSSIBLE:
                continue
            shares, token = inside.softmax(0), int(ids[b, i])
            upper, u = float(shares[: token + 1].sum()), float(uniforms[b, i])
            assert shares[token] > 0
            assert upper - float(shares[token]) - 1e-6 <= u <= upper + 1e-6

    def test_scores_of_neighbouring_positions_can_be_joined(self) -> None:
        alphabet, logits = Alphabet(self.LABELS, 5), logits_for(5, (1, 3, 5000), "plain")
        labels, uniforms = torch.tensor([[1, 2, 3]], device=DEVICE), torch.full((1, 3), 0.4, device=DEVICE)
        whole = gpu.class_scores(logits, alphabet)
        parts = [gpu.class_scores(piece, alphabet) for piece in (logits[:, :1], logits[:, 1:])]
        joined = _joined(parts)
        for name in ("log_sum", "entropy", "peak", "count"):
            assert torch.equal(getattr(joined, name), getattr(whole, name))
        draws = [gpu.draw_tokens(logits, alphabet, scores, labels, uniforms) for scores in (whole, joined)]
        assert torch.equal(*draws)

    def test_the_best_token_is_the_lowest_of_equals(self) -> None:
        alphabet = Alphabet(self.LABELS, 5)
        logits = logits_for(3, (1, 4, 5000), "plain").round().to(torch.bfloat16)  # many equal ones
        labels = torch.tensor([[1, 2, 3, 4]], device=DEVICE)
        settled = torch.tensor([[-1, -1, 8, -1]], device=DEVICE)
        scores = gpu.class_scores(logits, alphabet, settled=settled)
        found = gpu.best_tokens(logits, alphabet, scores, labels)
        assert torch.equal(found, reference.best_tokens(logits, alphabet, scores, labels))

    @pytest.mark.parametrize("kind", KINDS)
    def test_token_marginals_and_processed_logits_equal_the_reference(self, kind: str) -> None:
        alphabet, settled = Alphabet(self.LABELS, 5), torch.tensor([[-1, 4999, 9]], device=DEVICE)
        logits = logits_for(4, (1, 3, 5003), kind)
        scores = gpu.class_scores(logits, alphabet, settled=settled, temperature=1.5)
        marginal = torch.rand(1, 3, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(
            DEVICE
        )
        marginal = torch.where(scores.log_sum > IMPOSSIBLE, marginal, 0.0)
        marginal[0, 0, 2] = 0.0
        truth = reference.spread(logits.double(), alphabet, scores, marginal, temperature=1.5)
        found = gpu.spread(logits, alphabet, scores, marginal, temperature=1.5)
        assert close(found, truth, 1e-6)

        layout = AlphabetLayout.of([alphabet], 3, pool_of(torch.device(DEVICE)))
        shares = (
            (marginal.log() + scores.peak - scores.log_sum)
            .nan_to_num(nan=IMPOSSIBLE, neginf=IMPOSSIBLE)
            .float()
        )
        degree = torch.tensor([1.5], dtype=torch.float64, device=DEVICE)
        given = scores.peak, shares, settled, degree
        nats = torch.empty_like(logits)
        gpu.shift(logits, alphabet, scores, marginal, nats, temperature=1.5, least=-1e4)
        assert close(nats.double().exp(), truth, 1e-6)
        assert (nats[truth == 0] <= -88).all()
        tokens.weigh(layout, logits, *given, logits, unit=degree)
        assert (
            torch.equal(logits == IMPOSSIBLE, truth == 0) or kind == "peaked"
        )  # where a float64 still sees 1e-200
        open_ = truth.sum(-1) > 0
        normal = truth / truth.sum(-1, keepdim=True)
        assert close((logits / 1.5).double().softmax(-1)[open_], normal[open_], 1e-6)
