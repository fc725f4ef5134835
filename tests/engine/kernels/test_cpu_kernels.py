"""The vector kernels of the CPU: class scores of groups of positions against the reference."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import torch
from torch import Tensor

from structgen_engine.automata.dfa import DEAD, REFUSED, Alphabet, Dfa
from structgen_engine.kernels import cpu, reference
from structgen_engine.kernels.cpu import memory
from structgen_engine.kernels.cpu.classes import BLOCK
from structgen_engine.kernels.cpu.lanes import LANES, LEAST, exp2, load, store

IMPOSSIBLE = float("-inf")
TABLES = ("log_sum", "entropy", "peak")


def scattered(tokens: int, classes: int, seed: int = 0) -> Alphabet:
    """Classes that lie in the vocabulary at random, and one that fills half of it."""
    label = torch.randint(0, classes, (tokens,), generator=torch.Generator().manual_seed(seed))
    label[::2] = 1
    return Alphabet(label.int(), classes)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def agree(logits: Tensor, alphabet: Alphabet, **given: object) -> bool:
    """Whether the kernels find what the reference finds in these logits at double precision."""
    fast = cpu.class_scores(logits, alphabet, **given)  # type: ignore[arg-type]
    slow = reference.class_scores(logits.double(), alphabet, **given)  # type: ignore[arg-type]
    near = [torch.allclose(getattr(fast, name), getattr(slow, name), rtol=1e-6, atol=5e-6) for name in TABLES]
    return all(near) and torch.equal(fast.count, slow.count)


def test_powers_of_two_are_right_to_a_millionth_and_exact_at_zero() -> None:
    @numba.njit
    def powers(x: np.ndarray, out: np.ndarray) -> None:
        for i in range(0, x.size, LANES):
            store(out, i, exp2(load(x, i)))

    x = np.linspace(LEAST, 127, LANES * 250_000).astype(np.float32)
    out, ends = np.empty_like(x), np.array([0.0, np.nan, LEAST, 127.0] * 4, np.float32)
    powers(x, out)
    assert np.abs(out / np.exp2(x.astype(np.float64)) - 1).max() < 2e-7
    powers(ends, out[:LANES])
    assert np.isnan(out[1])
    assert out[[0, 2, 3]].tolist() == [1.0, 2.0**-126, 2.0**127]


@pytest.mark.parametrize("positions", [1, 4, 5, 16, 21, 40])
@pytest.mark.parametrize("tokens", [7, BLOCK, 2 * BLOCK + 1])
def test_groups_of_any_size_read_rows_of_any_width(positions: int, tokens: int) -> None:
    for beyond in (0, 1, 16, 33):  # logits that the automaton does not know
        assert agree(normal(2, positions, tokens + beyond) * 3, scattered(tokens, 9))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_every_type_of_logits_is_read(dtype: torch.dtype) -> None:
    logits = (normal(1, 20, BLOCK + 70) * 8).to(dtype)
    logits[:, ::3, ::5] = IMPOSSIBLE
    assert agree(logits, scattered(BLOCK + 50, 300), temperature=0.6)


@pytest.mark.parametrize("temperature", [1e-3, 0.3, 1.0, 5.0])
@pytest.mark.parametrize("scale", [1e-40, 3.0, 200.0, 1e30])
def test_scores_of_any_size_are_summed_as_the_reference_sums_them(scale: float, temperature: float) -> None:
    logits = (normal(1, 32, 3000).double() * scale).float()
    logits[0, 3] = IMPOSSIBLE
    logits[0, 4, 100:] = IMPOSSIBLE
    logits[0, 5, ::2] = torch.finfo(torch.float32).min
    logits[0, 6, 1500] = torch.finfo(torch.float32).max
    assert agree(logits, scattered(3000, 40), temperature=temperature)


def test_classes_far_below_the_highest_score_keep_their_precision() -> None:
    alphabet, logits = scattered(3000, 40), normal(1, 16, 3000)
    logits -= alphabet.class_of * 30.0  # nats between neighbouring classes
    assert agree(logits, alphabet)


def test_settled_positions_are_left_out() -> None:
    settled = torch.full((1, 40), -1)
    settled[0, ::3] = torch.arange(14)
    assert agree(normal(1, 40, 3000), scattered(3000, 40), settled=settled)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("class_size", [1, 300])
def test_scores_that_are_no_numbers_spoil_their_class_and_no_other(bad: float, class_size: int) -> None:
    label = torch.zeros(1000, dtype=torch.int32)
    label[:class_size], label[class_size:900] = 1, 2
    logits = normal(1, 16, 1000)
    logits[0, 5, 0] = logits[0, 6, 950] = bad  # the second is a refused token
    found = cpu.class_scores(logits, Alphabet(label, 3)).log_sum[0]
    assert not found[5, 1] < float("inf")
    found[5, 1] = 0
    assert found[:, 1:].isfinite().all()


def test_tokens_follow_the_softmax_inside_their_class() -> None:
    alphabet, N = scattered(5000, 3), 400
    logits, uniforms = normal(1, 1, 5000).expand(1, N, -1) * 4, (torch.arange(N) + 0.5)[None] / N
    labels = torch.ones(1, N, dtype=torch.int64)
    scores = cpu.class_scores(logits, alphabet)
    assert torch.equal(
        cpu.draw_tokens(logits, alphabet, scores, labels, uniforms.double()),
        reference.draw_tokens(logits, alphabet, scores, labels, uniforms.double()),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("scale", [3.0, 200.0])
def test_log_marginals_of_every_type_are_written_in_place_and_apart(dtype: torch.dtype, scale: float) -> None:
    alphabet, settled = scattered(3000, 40), torch.full((2, 20), -1)
    settled[1, 3:6] = torch.tensor([5, 2999, 3010])
    logits = (normal(2, 20, 3020) * scale).to(dtype)
    logits[:, ::3, ::5] = IMPOSSIBLE
    classes = torch.rand(2, 20, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    classes[:, ::2, 7], classes[..., 0] = 0, 0
    given = {"settled": settled, "temperature": 0.6}
    exact, truth = logits.double().clone(), logits.double().clone()
    slow = reference.class_scores(exact, alphabet, **given)  # type: ignore[arg-type]
    reference.shift(exact, alphabet, slow, classes, truth, temperature=0.6, least=-1e4)
    scores = cpu.class_scores(logits, alphabet, **given)  # type: ignore[arg-type]
    wide = torch.empty(2, 25, 3020, dtype=dtype)
    apart, strided = torch.empty_like(logits), wide[:, :20]
    for out in (apart, strided, torch.empty(2, 20, 6040, dtype=dtype)[..., ::2], logits):
        cpu.shift(logits, alphabet, scores, classes, out, temperature=0.6, least=-1e4)
        assert torch.allclose(out.double(), truth, rtol=max(3e-7, torch.finfo(dtype).eps), atol=1e-5)


def rugged(states: int, classes: int, seed: int) -> Dfa:
    """A random automaton of which some states keep to themselves, so that their weights drift away from the others'."""
    draw = torch.Generator().manual_seed(seed)
    delta = torch.randint(0, states, (states, classes), generator=draw)
    delta[torch.rand(states, classes, generator=draw) < 0.4] = DEAD
    delta[states // 2 :, 2] = torch.arange(states // 2, states)
    delta[DEAD], delta[:, REFUSED] = DEAD, DEAD
    accepting = torch.rand(states, generator=draw) < 0.5
    accepting[DEAD] = False
    return Dfa(Alphabet(torch.arange(classes).int(), classes), delta.int(), accepting, 1)


@pytest.mark.parametrize("drift", [0.0, 30.0, 150.0, 190.0, 5000.0])  # nats by which one class is lighter
@pytest.mark.parametrize("seed", range(6))
def test_scans_are_exact_however_far_the_weights_of_states_drift_apart(drift: float, seed: int) -> None:
    dfa, draw = rugged(24, 7, seed), torch.Generator().manual_seed(seed)
    weights = torch.randn(1, 90, 7, generator=draw, dtype=torch.float64) * 3
    weights[..., 2] -= drift
    weights[torch.rand(1, 90, 7, generator=draw) < 0.1] = IMPOSSIBLE
    weights[:, 40:43, 2:], weights[..., 0] = IMPOSSIBLE, IMPOSSIBLE
    start, end = torch.full((2, 1, 24), IMPOSSIBLE, dtype=torch.float64)
    start[:, 1:4] = torch.tensor([0.0, -900.0, -3.0])
    end[:, dfa.accepting] = 0.0
    counts = (weights > IMPOSSIBLE).int()
    alpha, beta = reference.forward(weights, dfa, start), reference.backward(weights, dfa, end)
    found = cpu.backward(weights, dfa, end)
    assert torch.allclose(cpu.nats(found)[..., 1:], beta[..., 1:], rtol=1e-12, atol=1e-9)
    assert torch.allclose(
        cpu.nats(cpu.forward(weights, dfa, start))[..., 1:], alpha[..., 1:], rtol=1e-12, atol=1e-9
    )
    truth = reference.posterior(weights, counts, dfa, start, beta)
    posterior = cpu.posterior(weights, counts, dfa, start, found)
    assert torch.allclose(posterior.classes, truth.classes, rtol=1e-9, atol=1e-12)
    assert torch.equal(posterior.free, truth.free)


def test_a_position_is_free_however_improbable_the_state_is_that_has_a_choice() -> None:
    delta = torch.zeros(5, 5, dtype=torch.int32)
    delta[1, 1], delta[1, 2] = 2, 3  # the second is improbable, and only it allows 4 afterwards
    delta[2, 3], delta[3, 3], delta[3, 4] = 4, 4, 4
    dfa = Dfa(Alphabet(torch.arange(5).int(), 5), delta, torch.arange(5) == 4, 1)
    weights = torch.zeros(1, 2, 5, dtype=torch.float64)
    weights[0, 0, 2] = -150.0
    start, end = torch.full((2, 1, 5), IMPOSSIBLE, dtype=torch.float64)
    start[0, 1] = end[0, 4] = 0.0
    for lighter in (0.0, 1000.0):
        weights[0, 0, 2] -= lighter
        beta = cpu.backward(weights, dfa, end)
        found = cpu.posterior(weights, torch.ones(1, 2, 5, dtype=torch.int32), dfa, start, beta)
        assert found.free.tolist() == [[True, True]]
        assert torch.allclose(found.classes[0, 1, 3:], torch.tensor([1.0, 0.0], dtype=torch.float64))


def test_memory_is_lent_again_when_no_view_of_it_is_left_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_waiting", {})
    first = memory.borrowed((1000, 500), np.float64)
    place, view = first.ctypes.data, torch.from_numpy(first)[3]
    view[:] = 7.0
    del first
    second = memory.borrowed((1000, 500), np.float64)
    second[:] = 0.0
    assert second.ctypes.data != place
    assert (view == 7.0).all()
    del view
    assert memory.borrowed((900, 500), np.float64).ctypes.data == place
