"""`structgen doctor` says what is there, and fails where an extraction does."""

from __future__ import annotations

import json
import platform

import structgen
from structgen.errors import ModelNotFound


def test_a_sound_installation_passes(run):
    result = run("doctor")
    assert (result.code, result.err, result.written) == (0, "", ())
    assert platform.python_version() in result.out
    assert "passed" in result.out


def test_json_has_the_same_findings(run, cache):
    findings = json.loads(run("doctor", "--json").out)
    assert findings["self_test"]["ok"] is True
    assert findings["embedded_model"]["present"] is True
    assert findings["embedded_model"]["most_prompt_tokens"] == structgen.load().prompt_limit
    assert findings["cache"]["folder"] == str(cache)
    assert {"python", "torch", "numba", "transformers", "triton", "CPU_threads", "GPU"} <= set(findings)


def test_a_broken_installation_fails_and_says_why(run, loader, monkeypatch):
    def missing(*_):
        raise ModelNotFound("the weights are gone")

    monkeypatch.setattr(loader, "load", missing)
    result = run("doctor")
    assert result.code == 1
    assert "failed: ModelNotFound: the weights are gone" in result.out


def test_a_cache_that_is_off_is_named(run, monkeypatch):
    monkeypatch.setenv("STRUCTGEN_CACHE", "")
    assert json.loads(run("doctor", "--json").out)["cache"]["folder"] is None
