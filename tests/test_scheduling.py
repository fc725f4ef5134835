"""The order in which files are given to test workers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("xdist", reason="pytest-xdist is not installed")

from scheduling import LONG, LongFilesFirst

HERE = Path(__file__).parent


class Node:
    """A test worker, as far as a scheduler sees it."""

    def __init__(self, name: str):
        self.gateway, self.shutting_down, self.sent = SimpleNamespace(id=name), False, list[int]()

    def send_runtest_some(self, indices: list[int]) -> None:
        self.sent += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def test_every_file_that_takes_long_exists():
    assert [name for name in LONG if not (HERE / name).is_file()] == []
    assert len(set(LONG)) == len(LONG)


def test_long_files_come_first_and_each_is_run_by_one_worker():
    option = SimpleNamespace(loadscopereorder=True, maxschedchunk=None, verbose=0)
    config = SimpleNamespace(getvalue=lambda name: ["popen"] * 2, option=option, get_verbosity=lambda: 0)
    files = ["tests/test_x.py", "tests/test_y.py", f"tests/{LONG[1]}", f"tests/{LONG[0]}"]
    tests = [f"{file}::test_{number}" for file in files for number in range(4)]
    schedule, nodes = LongFilesFirst(config), [Node("one"), Node("two")]  # pyright: ignore
    for node in nodes:
        schedule.add_node(node)  # pyright: ignore
        schedule.add_node_collection(node, tests)  # pyright: ignore
    schedule.schedule()
    first, second = ([tests[index] for index in node.sent] for node in nodes)
    assert first[:4] == tests[12:16]
    assert second[:4] == tests[8:12]
