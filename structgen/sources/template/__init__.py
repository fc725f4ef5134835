"""Templates: texts with holes, such as `Dear {{name:[A-Z][a-z]+}}, it ships on {{date:iso-date}}.`, as sources."""

from .hole import HOLE_KINDS, Hole
from .objects import HoleValues
from .source import Filled, Template

__all__ = ["HOLE_KINDS", "Filled", "Hole", "HoleValues", "Template"]
