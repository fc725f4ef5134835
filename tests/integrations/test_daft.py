"""The recipe for Daft on the page about pipelines. Part of `make test-ray`, whose environment has Daft."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

pytest.importorskip("daft", reason="Daft is not installed: run `make test-ray`")

import material

PAGE = (material.ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
RECIPE = next(
    code for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S) if "import daft" in code
)


def test_the_recipe_gives_a_value_or_an_error_for_each_row():
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(RECIPE, "pipelines.md", "exec"), names)
    found = names["answers"].to_pydict()
    right, wrong = found["answer"]
    assert (json.loads(right["value"]), right["error"]) == ({"vendor": "Acme Ltd", "total": 289.5}, "")
    said = "InvalidDocument: the document is empty: there is nothing to extract from"
    assert (wrong["value"], wrong["error"]) == (None, said)
