"""The layout holds: imports point one way, files and functions stay short, a name means one thing."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from functools import cache

import pytest

import house

MODULES = house.modules()
LINES, FUNCTION_LINES = 400, 60
TWO_SIDES = "both sides of the seam: structgen_mini imports no structgen, so it says itself what it is given"
SAME_CLASS = {"Field": TWO_SIDES, "Kind": TWO_SIDES, "Outline": TWO_SIDES, "Request": TWO_SIDES}
SAME_CONSTANT = {
    "BOTTOM": "one exponent, as a Python number for numba and as a tl.constexpr for Triton",
    "FORMATS": "the languages of format names: as the RFCs have them, and as pydantic has them",
}


@cache
def imports() -> list[house.Import]:
    return house.imports(MODULES)


def room(module: str) -> str:
    """The part of a package that a module is in: structgen.sources.types.times is in structgen.sources."""
    return ".".join(module.split(".")[:2])


def folder(module: str) -> str:
    return MODULES[module].package


class TestImports:
    """Imports under TYPE_CHECKING run nowhere, so two modules may name each other's types: in one folder only."""

    def test_no_module_imports_itself_through_others(self):
        assert house.cycles(house.arrows([arrow for arrow in imports() if arrow.when != "checking"])) == []

    def test_modules_that_name_each_others_types_share_a_folder(self):
        for cycle in house.cycles(house.arrows(imports())):
            assert len({folder(name) for name in cycle}) == 1, cycle

    def test_rooms_import_one_way(self):
        graph: dict[str, set[str]] = defaultdict(set)
        for arrow in imports():
            if room(arrow.importer) != room(arrow.imported):
                graph[room(arrow.importer)].add(room(arrow.imported))
        assert house.cycles(graph) == []

    @pytest.mark.parametrize("container", ["structgen", "structgen_engine"])
    def test_no_arrow_points_up(self, container: str):
        """The order is that of the contract in pyproject.toml; the arrows are read without import-linter."""
        floor = floors(container)
        for arrow in imports():
            above, below = (
                part.removeprefix(f"{container}.").split(".")[0] for part in (arrow.importer, arrow.imported)
            )
            if (
                above in floor
                and below in floor
                and above != below
                and arrow.importer.startswith(f"{container}.")
            ):
                assert floor[above] > floor[below], arrow

    def test_every_import_is_found(self):
        """Counts what a search for lines finds in the same files, so that the other tests do not pass on nothing."""
        assert len(MODULES) > 200
        importers = {arrow.importer for arrow in imports()}
        for module in MODULES.values():
            starts = tuple(f"from {package}" for package in house.PACKAGES)
            if any(line.startswith((*starts, "from .")) for line in module.text.splitlines()):
                assert module.name in importers


def floors(container: str) -> dict[str, int]:
    """The height of each part of a package by its contract: the last layer is 0."""
    contracts = tomllib.loads((house.ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(c["layers"] for c in contracts if c.get("containers") == [container])
    return {part: height for height, layer in enumerate(reversed(layers)) for part in layer.split(" | ")}


def test_no_file_is_long():
    lengths = {name: len(module.text.splitlines()) for name, module in MODULES.items()}
    assert {name: n for name, n in lengths.items() if n > LINES} == {}


def test_no_function_is_long():
    """Kernels of the engine excepted: their loops are one piece."""
    found = {
        f"{module.name}.{function.name}": house.length(function)
        for module in MODULES.values()
        if not module.name.startswith("structgen_engine.kernels.")
        for function in house.functions(module)
    }
    assert {name: n for name, n in found.items() if n > FUNCTION_LINES} == {}


def test_no_class_name_has_two_meanings():
    twice = {name for name, places in house.classes(MODULES).items() if len(places) > 1}
    assert twice == SAME_CLASS.keys()


def test_no_shared_constant_has_a_name_with_another_value():
    """A constant that only its own module reads is read beside its definition; one that others import is not."""
    found = house.constants(MODULES)
    shared = house.imported_names(MODULES)
    twice = {name for name, values in found.items() if name in shared and len(set(values.values())) > 1}
    assert twice == SAME_CONSTANT.keys()
