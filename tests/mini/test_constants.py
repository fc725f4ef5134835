"""The constants of the embedded model: read whole or refused in a sentence, and shipped with the weights."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from structgen_mini import mini_folder
from structgen_mini.constants import CONSTANTS, Constants

ROOT = Path(__file__).parents[2]
TEXT = (mini_folder() / CONSTANTS).read_text(encoding="utf-8")


@pytest.fixture
def spoilt(tmp_path: Path):
    """Reads the shipped file after one replacement."""

    def read(old: str, new: str) -> Constants:
        assert old in TEXT
        (tmp_path / CONSTANTS).write_text(TEXT.replace(old, new, 1), encoding="utf-8")
        return Constants.read(tmp_path)

    return read


def test_the_shipped_file_is_what_the_dataclass_holds() -> None:
    constants, table = Constants.read(mini_folder()), tomllib.loads(TEXT)
    for part, values in table.items():
        for name, value in values.items():
            held = getattr(getattr(constants, part), name)
            assert (vars(held) if isinstance(value, dict) else held) == value


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("penalty = 6.0", "", r"weights\.toml lacks copies\.penalty"),
        ("penalty = 6.0", "penalty = 6.0\npenalti = 1.0", r"has the unknown key copies\.penalti"),
        ("[slots.snug]", "[slots.small]", r"lacks slots\.snug"),
        ("[alternatives]\n", "[other]\n[alternatives]\n", r"has the unknown key other"),
        ("penalty = 6.0", 'penalty = "6"', r"copies\.penalty must be a number, not '6'"),
        ("growth = 2", "growth = 2.5", r"layouts\.growth must be a whole number, not 2\.5"),
        ("growth = 2", "growth = true", r"layouts\.growth must be a whole number, not True"),
        ("[layouts]\n", "[extra]\n", r"lacks layouts"),
    ],
)
def test_a_missing_an_unknown_and_a_wrong_value_are_named(spoilt, old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spoilt(old, new)


def test_a_part_that_is_no_table_is_named(tmp_path: Path) -> None:
    tables = TEXT.partition("\n[alternatives]\n")[0]
    (tmp_path / CONSTANTS).write_text(f"alternatives = 3\n{tables}", encoding="utf-8")
    with pytest.raises(ValueError, match="alternatives must be a table"):
        Constants.read(tmp_path)


def test_a_folder_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"weights\.toml is missing: export the model again"):
        Constants.read(tmp_path)


def test_every_constant_has_a_source() -> None:
    """A table begins with a comment that says where its numbers come from, as far as that is known."""
    above = {line: before for before, line in zip(TEXT.splitlines(), TEXT.splitlines()[1:], strict=False)}
    tables = [line for line in TEXT.splitlines() if line.startswith("[")]
    assert tables
    assert all(above[table].startswith(("# Source not recorded", "# Calibrated by")) for table in tables)
    assert TEXT.count("\n# Fitted ") == 1


def test_the_wheel_ships_the_file() -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    files = {one.distribution_path for one in wheel.WheelBuilder(str(ROOT)).recurse_included_files()}
    assert f"structgen_mini/weights/{CONSTANTS}" in files
