"""Policies and noises: what is kept, and what becomes of the rest."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields

import pytest
import torch

from structgen_engine.decoding.noise import Absorbing, Uniform
from structgen_engine.decoding.policy import EntropyBound, Policy, TopK, surest
from structgen_engine.lattice.lattice import Beliefs

ENTROPY = torch.tensor([[0.5, 0.02, 0.09, 0.0, 0.05]])
BELIEFS = Beliefs(ENTROPY, torch.tensor([[0.6, 0.99, 0.95, 1.0, 0.97]]), ENTROPY > 0)
OPEN = torch.full((1, 5), -1)


def test_a_policy_cannot_see_the_draw() -> None:
    """Reading the drawn tokens would bias the draw; the signature and the beliefs leave no way to them."""
    for policy in (Policy, EntropyBound, TopK):
        assert list(inspect.signature(policy.__call__).parameters) == ["self", "beliefs", "settled"]
    assert [field.name for field in fields(Beliefs)] == ["entropy", "top_probability", "free"]


def test_entropy_bound_keeps_the_lowest_while_those_below_sum_to_the_bound() -> None:
    # sorted: 0, .02, .05, .09, .5; sums of those below: 0, 0, .02, .07, .16
    assert EntropyBound(0.1)(BELIEFS, OPEN).tolist() == [[False, True, True, True, True]]
    assert EntropyBound(0.05)(BELIEFS, OPEN).tolist() == [[False, True, False, True, True]]
    assert EntropyBound(0.2)(BELIEFS, OPEN).all()


def test_top_k_counts_open_positions_only() -> None:
    settled = torch.tensor([[-1, -1, -1, 7, -1]])
    assert TopK(2)(BELIEFS, settled).tolist() == [[False, True, False, True, True]]
    with pytest.raises(ValueError, match="at least 1"):
        TopK(0)


def test_the_surest_positions_are_open_and_no_more_than_asked() -> None:
    assert surest(torch.zeros(1, 4), torch.tensor([[3, -1, -1, -1]]), torch.tensor([2])).tolist() == [
        [False, True, True, False]
    ]
    assert not surest(torch.zeros(1, 2), torch.tensor([[3, 3]]), torch.tensor([2])).any()


def test_noise_says_nothing() -> None:
    assert (Absorbing(4).start((2, 500), generator()) == 4).all()
    assert set(Uniform(5, 9).start((1000,), generator()).tolist()) == {5, 6, 7, 8}


def test_uniform_noise_needs_a_range() -> None:
    with pytest.raises(ValueError, match="low < high"):
        Uniform(5, 5)


def test_importing_the_engine_loads_no_compiler() -> None:
    compilers = {"numba", "triton", "transformers"}
    code = f"import sys, structgen_engine.decoding.loop; sys.exit(bool({compilers} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
