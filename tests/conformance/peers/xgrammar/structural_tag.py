"""The models of XGrammar's structural tags, read from its source distribution, beside whose tests this runs."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_SOURCE = Path.cwd().parents[1] / "python" / "xgrammar" / "structural_tag.py"
_spec = importlib.util.spec_from_file_location("xgrammar.structural_tag_models", _SOURCE)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module  # pydantic looks up annotations here
_spec.loader.exec_module(_module)
globals().update({name: value for name, value in vars(_module).items() if not name.startswith("_")})
