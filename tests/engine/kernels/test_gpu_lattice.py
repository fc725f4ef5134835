"""The lattice on the GPU kernels is the reference's, function by function and as one prepared step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from hypothesis import Phase, given, settings
from torch.utils._python_dispatch import TorchDispatchMode

from gpu_cases import DEVICE, IMPOSSIBLE, close, logits_for, poisoned, random_row
from strategies import Case, cases
from structgen_engine.automata.dfa import Alphabet, BlockAutomaton, Dfa
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.options import DecodingOptions, Finish
from structgen_engine.kernels import backend_for, gpu, reference
from structgen_engine.kernels.gpu import fields, layout, lean, tables, trees, uniforms
from structgen_engine.lattice.lattice import BlockLattice

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
# the launches of `run` and `spread`; classes of more than 512 tokens add a second "_chunks"
KERNELS = (
    *("_chunks", "_join", "_uniforms", "_bundle", "_scan", "_marginals", "_walk", "_choose"),
    "_weigh",
)
SIZES = (
    {"states": 12, "classes": 9, "tokens": 60},
    {"states": 4, "classes": 4, "tokens": 12, "live": 0.8},
    {"states": 12, "classes": 9, "tokens": 60},
)


def agree(row: BlockAutomaton, logits: torch.Tensor, settled: torch.Tensor, temperature: float) -> None:
    """Everything that a lattice says: log Z, marginals, mask, beliefs, and, where blocks exist, draws and the best."""
    given = {"settled": settled[None], "temperature": temperature}
    with poisoned():
        fast = BlockLattice(row, logits[None], backend=gpu, **given)
        found, marginals, mask, beliefs = fast.log_partition(), fast.marginals(), fast.mask(), fast.beliefs()
    slow = BlockLattice(row, logits[None].double(), backend=reference, **given)
    assert close(found, slow.log_partition(), 1e-6)
    assert close(marginals, slow.marginals(), 2e-6)
    assert close(fast.log_marginals().double().exp(), slow.marginals(), 2e-6)
    assert torch.equal(mask, slow.mask())
    assert close(beliefs.entropy, slow.beliefs().entropy, 5e-6)
    assert close(beliefs.top_probability, slow.beliefs().top_probability, 2e-6)
    assert torch.equal(beliefs.free.cpu(), slow.beliefs().free.cpu())
    if found.item() > IMPOSSIBLE:
        with poisoned():
            draws, best = fast.sample(torch.Generator().manual_seed(0)), fast.argmax()
        assert torch.equal(draws, slow.sample(torch.Generator().manual_seed(0)))
        assert close(best.log_prob, slow.argmax().log_prob, 1e-6)
        assert (
            slow.log_prob(best.ids) >= slow.argmax().log_prob - 1e-6
        )  # more, where several entries lead to it


def padded_dfa(length: int) -> Dfa:
    """Token 2 or 3, `length` times, then the end token 1, then padding 0."""
    delta = torch.zeros(length + 3, 4, dtype=torch.int32)
    for state in range(1, length + 1):
        delta[state, 3] = state + 1
    delta[length + 1, 2], delta[length + 2, 1] = length + 2, length + 2
    accepting = torch.zeros(length + 3, dtype=torch.bool)
    accepting[-1] = True
    return Dfa(Alphabet(torch.tensor([1, 2, 3, 3], dtype=torch.int32), 4), delta, accepting, 1)


class TestLattice:
    @given(row=cases())
    @settings(max_examples=8, phases=[Phase.generate])  # interpreted kernels are too slow to shrink with
    def test_small_lattices_agree_in_everything(self, row: Case) -> None:
        agree(row.automaton, row.logits.to(DEVICE), row.settled.to(DEVICE), row.temperature)

    @pytest.mark.parametrize("kind", ["plain", "peaked", "holes", "extreme"])
    def test_larger_lattices_agree_in_everything(self, kind: str) -> None:
        logits = logits_for(0, (12, 70), kind)
        settled = torch.full((12,), -1, device=DEVICE)
        agree(random_row(3, states=15, classes=10, tokens=60), logits, settled, 0.7)

    def test_a_batch_of_different_automata_and_temperatures_is_each_row_alone(self) -> None:
        """Also while another lattice of the same batch is alive: each has a step of its own."""
        rows = [
            random_row(0, **SIZES[0]),
            random_row(3, states=15, classes=10, tokens=60),
            random_row(2, **SIZES[2]),
        ]
        rows[2] = BlockAutomaton(rows[0].dfa, rows[2].exit.roll(0), rows[0].exit)
        logits, temperature = logits_for(6, (3, 5, 64), "plain"), [0.5, 1.0, 2.0]
        with poisoned():
            one = BlockLattice(rows, logits, temperature=temperature, backend=gpu)
            one.log_partition()
            other = BlockLattice(rows, logits * 2, temperature=temperature, backend=gpu)
            other.log_partition()
            draws, best = one.sample(torch.Generator().manual_seed(0)), one.argmax()
            named = torch.where(
                torch.rand(3, 5, generator=torch.Generator().manual_seed(1)) < 0.5, draws.cpu(), -1
            )
            given = one.log_prob(named)
        truth = BlockLattice(rows, logits.double(), temperature=temperature, backend=reference)
        assert close(one.log_partition(), truth.log_partition(), 1e-6)
        assert torch.equal(draws, truth.sample(torch.Generator().manual_seed(0)))
        assert close(best.log_prob, truth.argmax().log_prob, 1e-6)
        assert close(given, truth.log_prob(named), 1e-5)
        assert close(one.marginals(), truth.marginals(), 2e-6)
        assert torch.equal(one.mask(), truth.mask())

    def test_the_loop_decodes_on_the_kernels_what_it_decodes_on_the_cpu(self) -> None:
        dfas = [padded_dfa(length) for length in (2, 5)]

        def run() -> list[list[int]]:
            denoiser = RandomDenoiser(Uniform(0, 4), 4, 5, seed=3)
            generators = [torch.Generator().manual_seed(seed) for seed in range(2)]
            options = DecodingOptions(steps=2, temperature=1.0, finish=Finish.SAMPLE)
            rows = decode(denoiser, [[0], [1]], dfas, max_tokens=8, generators=generators, options=options)
            return [row.ids.tolist() for row in rows]

        plain = run()
        with patch("structgen_engine.lattice.lattice.backend_for", lambda device: gpu):
            assert run() == plain

    def test_the_gpu_backend_is_chosen_for_gpu_tensors(self) -> None:
        assert backend_for("cuda") is gpu

    def test_nothing_of_triton_is_imported_with_the_engine(self) -> None:
        program = "import structgen, structgen_engine.lattice.lattice; print('triton' in sys.modules)"
        path = [str(Path(__file__).parents[3] / part) for part in ("", "engine")]
        run = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path[:0] = {path}; {program}"],
            capture_output=True,
            text=True,
        )
        assert run.stdout.strip() == "False", run.stderr


class TestCompiler:
    def test_every_kernel_compiles_for_two_generations_and_spills_nothing(self) -> None:
        """The interpreter runs what the compiler refuses, a variable that changes its shape in a loop, say."""
        root = Path(__file__).parents[3]
        path = os.pathsep.join(str(root / part) for part in ("", "engine", "tests"))
        environment = {**os.environ, "PYTHONPATH": path, "TRITON_INTERPRET": "0"}
        run = subprocess.run(
            [sys.executable, "-m", "bench.offline"], capture_output=True, text=True, env=environment
        )
        assert run.returncode == 0, run.stderr
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        assert {line["capability"] for line in lines} == {90, 120}
        assert {line["kernel"] for line in lines} == {*KERNELS, "_lean"}
        assert not any(line["spilled"] for line in lines)


def philox(seed: int, counter: int) -> float:
    """A number in [0, 1) of 53 bits from Philox4x32-10 (Salmon et al. 2011)."""
    words, keys = [counter & 0xFFFFFFFF, counter >> 32, 0, 0], [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * words[0], 0xCD9E8D57 * words[2]
        words = [
            (b >> 32) ^ words[1] ^ keys[0],
            b & 0xFFFFFFFF,
            (a >> 32) ^ words[3] ^ keys[1],
            a & 0xFFFFFFFF,
        ]
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return ((words[0] >> 5) * 2**26 + (words[1] >> 6)) / 2**53


class Refusing(TorchDispatchMode):
    """Nothing but views: any other operation of torch would allocate or, at worst, wait for the GPU."""

    VIEWS = ("slice", "select", "view", "as_strided", "detach", "alias")

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func.overloadpacket.__name__ in self.VIEWS, func
        return func(*args, **(kwargs or {}))


class TestStep:
    def step_and_logits(self, kind: str) -> tuple[list[BlockAutomaton], gpu.Step, torch.Tensor]:
        rows = [random_row(seed, **sizes) for seed, sizes in enumerate(SIZES)]
        rows[2] = BlockAutomaton(rows[0].dfa, rows[2].exit.roll(0), rows[0].exit)  # a dfa shared by two rows
        with poisoned():
            step = gpu.Step.of(rows, positions=5, device=DEVICE)
        step.temperature.copy_(torch.tensor([0.5, 1.0, 2.0]))
        return rows, step, logits_for(6, (3, 5, 64), kind)

    @pytest.mark.parametrize("kind", ["plain", "peaked", "holes"])
    def test_a_step_of_different_automata_is_each_lattice_alone(self, kind: str) -> None:
        rows, step, logits = self.step_and_logits(kind)
        step.run(logits)
        beliefs = (
            step.log_partition.clone(),
            step.entropy.clone(),
            step.top.clone(),
            step.free.clone(),
            step.ids.clone(),
        )
        for b, row in enumerate(rows):
            degree = float(step.temperature[b])
            one = BlockLattice(row, logits[b : b + 1].double(), temperature=degree, backend=reference)
            assert close(beliefs[0][b : b + 1], one.log_partition(), 1e-6)
            assert close(beliefs[1][b : b + 1], one.beliefs().entropy, 5e-6)
            assert close(beliefs[2][b : b + 1], one.beliefs().top_probability, 2e-6)
            assert torch.equal(beliefs[3][b : b + 1], one.beliefs().free)
            if one.log_partition().item() > IMPOSSIBLE:
                run = one._runs[0]
                drawn = run.sample(step.uniforms[b : b + 1, :6], step.uniforms[b : b + 1, 6:])
                assert torch.equal(beliefs[4][b : b + 1], drawn)
                assert torch.equal(step.best[b : b + 1], one.argmax().ids)
                assert close(step.best_weight[b : b + 1] - one.log_partition(), one.argmax().log_prob, 1e-6)

    def test_positions_may_take_turns_in_scratch(self) -> None:
        """Two programs for five positions, and trees of several levels."""
        few = {"SCRATCH": 1, "FEWEST": 2, "ITEMS": trees.tl.constexpr(1), "LEAST": trees.tl.constexpr(2)}
        with patch.multiple(trees, **few), patch.object(tables, "WIDTH", 2):
            rows, step, logits = self.step_and_logits("plain")
            step.run(logits)
        one = BlockLattice(rows[0], logits[:1].double(), temperature=0.5, backend=reference)
        assert close(step.log_partition[:1], one.log_partition(), 1e-6)
        assert close(step.entropy[:1], one.beliefs().entropy, 5e-6)
        assert torch.equal(step.best[:1], one.argmax().ids)
        assert step.marginals.joint.numel() < 5 * step.automata.sizes["sets"]

    @pytest.mark.parametrize("kind", ["plain", "peaked"])
    def test_lean_rows_are_as_others(self, kind: str) -> None:
        """Windows of two positions in a block of five; the second row is lean, and the first is not."""
        rows = [random_row(0, **SIZES[0]), random_row(3, states=15, classes=10, tokens=60)]
        logits, drawn = logits_for(6, (2, 5, 64), kind), []
        with patch.multiple(layout, STRIDE=2, LEAN_BYTES=24 * 6 * 13), patch.object(lean, "STRIDE", 2):
            for spare in (False, True):
                with poisoned():
                    step = gpu.Step.of(rows, positions=5, device=DEVICE, spared=spare)
                step.run(logits)
                results = (
                    step.log_partition,
                    step.entropy,
                    step.top,
                    step.free,
                    step.ids,
                    step.best,
                    step.status,
                )
                drawn.append([*(part.clone() for part in results), step.best_weight.clone()])
        for full, spared in zip(*drawn, strict=True):
            assert close(spared, full, 1e-6)
        assert step.automata.lean
        assert step.automata.lines[:, fields.LEAN.value].tolist() == [0, 1]

    def test_processed_logits_give_the_marginals(self) -> None:
        rows, step, logits = self.step_and_logits("plain")
        step.settled[1, 2] = 3
        before = logits.clone()
        step.run(logits)
        assert torch.equal(logits, before)
        step.process_(logits)
        for b, row in enumerate(rows):
            degree = float(step.temperature[b])
            one = BlockLattice(
                row,
                before[b : b + 1].double(),
                settled=step.settled[b : b + 1],
                temperature=degree,
                backend=reference,
            )
            if one.log_partition().item() > IMPOSSIBLE:
                assert close((logits[b : b + 1] / degree).softmax(-1), one.marginals(), 2e-6)

    def test_a_diverged_denoiser_shows_in_the_entropy(self) -> None:
        rows, step, logits = self.step_and_logits("plain")
        logits[0, 3, int((rows[0].dfa.alphabet.class_of == 3).nonzero()[0])] = float("nan")
        step.run(logits)
        assert step.entropy.isnan().nonzero().tolist() == [[0, 3]]
        assert (step.status == 2).tolist() == [True, False, False]

    def test_a_step_only_launches_kernels(self) -> None:
        """No allocation, no transfer, no look at a result: the same launches whatever the logits hold."""
        from triton.runtime.interpreter import InterpretedFunction
        from triton.runtime.jit import JITFunction

        _, step, logits = self.step_and_logits("plain")
        launched: list[str] = []

        def record(kernel: Any, grid: Any) -> Any:
            return lambda *args, **options: launched.append(kernel.__name__)

        with (
            patch.object(InterpretedFunction, "__getitem__", record, create=True),
            patch.object(JITFunction, "__getitem__", record, create=True),
            Refusing(),
        ):
            step.run(logits)
            step.spread(logits, logits)
        assert launched == list(KERNELS)

    def test_rows_lie_where_the_host_has_them(self) -> None:
        """Two rows of four, the second first; temperatures in float32; the table of marginals is written once."""
        rows = [random_row(0, **SIZES[0]), random_row(3, states=15, classes=10, tokens=60)]
        logits = logits_for(6, (4, 5, 64), "plain").to(torch.bfloat16)
        degrees = torch.tensor([9.0, 0.5, 9.0, 2.0], device=DEVICE)
        host = gpu.Host(4, [3, 1], temperature=degrees)
        with poisoned():
            step = gpu.Step.of(rows, positions=5, device=DEVICE, host=host)
        table = torch.full((4, 5, 64), 7.0, dtype=torch.bfloat16, device=DEVICE)
        step.run(logits)
        step.spread(logits, table)
        for place, row in zip(host.places, rows, strict=True):
            at = slice(place, place + 1)
            one = BlockLattice(row, logits[at].double(), temperature=float(degrees[place]), backend=reference)
            assert close(step.entropy[at], one.beliefs().entropy, 5e-6)
            assert torch.equal(step.best[at], one.argmax().ids)
            assert one.log_prob(step.ids[at]).item() > IMPOSSIBLE
            assert close(table[at], one.marginals(), 4e-3)  # eight bits of mantissa
        assert (table[[0, 2]] == 7.0).all()

    def test_what_leaves_no_block_is_told_or_raised(self) -> None:
        """Logits of −inf at a whole position: the row is empty as it is, and has a block if −inf is raised."""
        row = random_row(0, **SIZES[0])
        logits = logits_for(6, (1, 5, 64), "plain")
        logits[0, 2] = IMPOSSIBLE
        instead = torch.arange(5)[None]
        for raised in (False, True):
            host = gpu.Host(1, [0], raised=raised)
            with poisoned():
                step = gpu.Step.of(
                    [row], positions=5, device=DEVICE, host=host, told=gpu.Told(instead=instead)
                )
            step.run(logits)
            assert step.status.tolist() == [0 if raised else 1]
            if not raised:
                assert torch.equal(step.ids.cpu(), instead)
                assert torch.equal(step.best.cpu(), instead)
                continue
            flat = BlockLattice(row, logits.clamp_min(-1e5).double(), backend=reference)
            assert flat.log_prob(step.ids).item() > IMPOSSIBLE
            assert flat.log_prob(step.best).item() > IMPOSSIBLE

    def test_draws_are_philoxs(self) -> None:
        """Word by word as the paper has it; a row's numbers depend on its seed and on how many steps it has taken."""
        seeds, turns = torch.tensor([5, 2**40 + 7], device=DEVICE), torch.tensor([0, 3], device=DEVICE)
        out = torch.empty(2, 9, dtype=torch.float64, device=DEVICE)
        for turn in (0, 1):
            uniforms.draw(seeds, turns, out)
            for b, (seed, first) in enumerate(((5, 0), (2**40 + 7, 3))):
                expected = [philox(seed, (first + turn) * 9 + k) for k in range(9)]
                assert out[b].tolist() == expected
        assert turns.tolist() == [2, 5]

    @pytest.mark.parametrize("shape", [(3, 5, 59), (3, 4, 64), (2, 5, 64)])
    def test_logits_of_another_shape_are_refused(self, shape: tuple[int, ...]) -> None:
        _, step, _ = self.step_and_logits("plain")
        with pytest.raises(ValueError, match=r"made for logits \[3, 5, '≥ 60'\], not"):
            step.run(torch.zeros(shape, device=DEVICE))

    def test_a_step_knows_its_memory(self) -> None:
        _, step, _ = self.step_and_logits("plain")
        assert step.nbytes > step.alpha.nbytes + step.beta.nbytes + step.scores.log_sum.nbytes
