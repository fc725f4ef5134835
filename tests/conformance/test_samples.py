"""What a grammar generates is valid: random texts of real schemas, judged by jsonschema with its format checks on."""

from __future__ import annotations

import json
import random
import re
from types import SimpleNamespace

import jsonschema
import pytest
from jsonschema import _keywords, _legacy_keywords, _utils

from conformance.judge import source_of
from conformance.sampler import Sampler
from conformance.suites import MASKBENCH, maskbench
from structgen.errors import StructgenError

SAMPLES = 20


def test_random_texts_of_real_schemas_are_valid(monkeypatch: pytest.MonkeyPatch):
    if not MASKBENCH.exists():
        pytest.skip(f"{MASKBENCH.name} is not in the folder of shared test data")
    # JSON Schema's patterns are ECMA's, where \w and \d know ASCII only; Python's know all of Unicode.
    ascii_only = SimpleNamespace(
        search=lambda pattern, text: re.search(pattern, text, re.ASCII), escape=re.escape
    )
    for module in (_keywords, _legacy_keywords, _utils):
        if hasattr(module, "re"):
            monkeypatch.setattr(module, "re", ascii_only)
    drawn = 0
    for group in maskbench(every=90, start=7):
        try:
            grammar = source_of(group).lower()
        except StructgenError:
            continue
        kind = jsonschema.validators.validator_for(group.schema, jsonschema.Draft202012Validator)
        validator = kind(group.schema, format_checker=kind.FORMAT_CHECKER)
        sampler = Sampler(grammar, random.Random(group.name))
        for _ in range(SAMPLES):
            text = sampler.text()
            assert validator.is_valid(json.loads(text)), (group.name, text)
            drawn += 1
    assert drawn > 300
