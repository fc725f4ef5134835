"""The embedded model is loaded together with what its first answer needs."""

from __future__ import annotations

import subprocess
import sys

import torch

import structgen as sg
from structgen.models.embedded import embedded
from structgen.models.placement import Placement

FIRST = """
import json
import structgen as sg
from structgen_engine import jit

model, loaded = sg.load(), []
load = jit._KernelCache.load_overload
jit._KernelCache.load_overload = lambda self, *given: loaded.append(self._py_func) or load(self, *given)
schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
model.extract("My name is Ida.", schema)
engine = {kernel.__name__ for kernel in loaded if kernel.__module__.startswith("structgen_engine")}
print(sorted(engine - {"_rowwise"}))  # which only a step with few open positions needs
"""


def test_the_first_answer_finds_its_kernels_loaded():
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"


def test_loading_draws_no_random_number_of_the_caller():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    embedded(None, Placement("cpu"))
    assert torch.equal(torch.get_rng_state(), before)


def test_loading_says_that_kernels_are_compiled(monkeypatch):
    said = []
    monkeypatch.setattr("structgen.models.embedded.announce", lambda: said.append(True))
    sg.load()
    assert said == [True]
