"""The cache never fails a request, and never answers with anything but what was stored."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

import structgen as sg
from structgen.cache import _load, _store, cache_folder, cached_arrays

ARRAYS = {
    "numbers": np.arange(5),
    "flags": np.array([True, False]),
    "none": np.empty((0, 3), np.int32),
    "one": np.array(3.5),
    "words": np.array(["a", "größer"]),
    "turned": np.arange(6, dtype=np.uint16).reshape(2, 3).T,
    "every second": np.arange(9, dtype=np.int64)[::2],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder that only this test uses."""
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def ask(made: list[str], key: str = "key") -> dict[str, np.ndarray]:
    """The cached arrays under `key`; `made` notes when they had to be made."""

    def make() -> dict[str, np.ndarray]:
        made.append(key)
        return ARRAYS

    return cached_arrays("kind", key, make)


def assert_stored(arrays: dict[str, np.ndarray]) -> None:
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(arrays[name], array)


def only_file(folder: Path) -> Path:
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path


def test_the_same_key_gives_the_same_arrays_and_makes_them_once(folder):
    made: list[str] = []
    for _ in range(3):
        assert_stored(ask(made))
    ask(made, "other")
    assert made == ["key", "other"]


def test_what_was_stored_may_be_written_to(folder):
    ask([])
    ask([])["numbers"][0] = 7
    assert_stored(ask([]))


@pytest.mark.parametrize(
    ("array", "size"),
    [
        (np.arange(2**16, dtype=np.int32).reshape(-1, 4), 2),
        (np.arange(2**16 + 1, dtype=np.int64), 8),
        (np.arange(-1, 5000, dtype=np.int32), 4),
        (np.arange(0, 1, 1e-4), 8),
    ],
)
def test_large_arrays_of_small_numbers_take_two_bytes_a_number(folder, array, size):
    for _ in range(2):
        found = cached_arrays("kind", "key", lambda: {"array": array})["array"]
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)
        assert found.flags.writeable
    assert 0 <= only_file(folder).stat().st_size - array.size * size < 200


def test_wherever_a_file_is_cut_off_it_is_made_anew(folder):
    ask([])
    path = only_file(folder)
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        made: list[str] = []
        assert_stored(ask(made))
        assert made == ["key"]
        assert_stored(ask(made))
        assert made == ["key"]


def test_whichever_byte_is_flipped_the_arrays_are_right(folder):
    ask([])
    path = only_file(folder)
    whole = path.read_bytes()
    for at in range(0, len(whole), 5):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        assert_stored(ask([]))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18), bytes(100)])
def test_a_file_that_is_no_archive_of_arrays_is_made_anew(folder, content):
    ask([])
    path = only_file(folder)
    for prefix in (b"", path.read_bytes()[:16]):
        path.write_bytes(prefix + content)
        assert_stored(ask([]))


def test_a_folder_in_the_place_of_the_file_does_no_harm(folder):
    ask([])
    path = only_file(folder)
    path.unlink()
    path.mkdir()
    made: list[str] = []
    for _ in range(2):
        assert_stored(ask(made))
    assert made == ["key", "key"]
    assert list(path.parent.iterdir()) == [path]  # and leaves no drafts


def test_a_cache_that_cannot_be_a_folder_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path / "file"))
    assert_stored(ask([]))
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_an_unwritable_folder_and_an_unreadable_file_do_no_harm(folder):
    ask([])
    only_file(folder).chmod(0)
    assert_stored(ask([]))
    (folder / "kind").chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert_stored(ask([], "other"))
    finally:
        (folder / "kind").chmod(stat.S_IRWXU)


@pytest.mark.parametrize("step", ["mkdir", "draft", "write", "rename"])
def test_whatever_step_of_writing_fails_the_arrays_come_back(step, folder, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "denied")

    places = {
        "mkdir": (Path, "mkdir"),
        "draft": (tempfile, "mkstemp"),
        "write": (os, "fdopen"),
        "rename": (os, "replace"),
    }
    with monkeypatch.context() as patch:
        patch.setattr(*places[step], fail)
        assert_stored(ask([]))
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_an_empty_setting_turns_the_cache_off(monkeypatch, tmp_path):
    monkeypatch.setenv("STRUCTGEN_CACHE", "")
    monkeypatch.chdir(tmp_path)
    made: list[str] = []
    for _ in range(2):
        assert_stored(ask(made))
    assert made == ["key", "key"]
    assert not list(tmp_path.iterdir())


def test_the_folder_is_the_setting_or_lies_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("STRUCTGEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "structgen"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "structgen"


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("STRUCTGEN_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert cache_folder() is None
    assert_stored(ask([]))


def test_errors_of_the_maker_are_passed_on_and_nothing_is_stored(folder):
    def make() -> dict[str, np.ndarray]:
        raise KeyError("the maker's own")

    with pytest.raises(KeyError, match="the maker's own"):
        cached_arrays("kind", "key", make)
    assert_stored(ask(made := []))
    assert made == ["key"]


def test_writers_at_the_same_time_do_not_disturb_each_other(folder):
    wrong: list[BaseException] = []
    begin = threading.Barrier(8)

    def work() -> None:
        try:
            begin.wait()
            for index in range(20):
                assert_stored(ask([], f"key{index}"))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(list(folder.rglob("*.arrays"))) == 20
    assert not list(folder.rglob("*.tmp"))


def test_what_another_version_stored_is_made_anew(folder):
    ask([])
    made: list[str] = []

    def make() -> dict[str, np.ndarray]:
        made.append("key")
        return {**ARRAYS, "more": np.arange(3)}

    for _ in range(2):
        assert "more" in cached_arrays("kind", "key", make, lambda arrays: "more" in arrays)
    assert made == ["key"]


@pytest.mark.parametrize("regime", ["expanded", "lazy"])
def test_a_constraint_of_which_an_array_is_missing_is_compiled_anew(folder, regime):
    source = sg.Regex("[a-z]{2,5}")
    assert not sg.compile(source, regime=regime).cached
    (path,) = (folder / "constraint").iterdir()
    whole = _load(path)
    assert whole is not None
    for name in whole.keys() - {"expanded"}:
        _store(path, {one: array for one, array in whole.items() if one != name})
        again = sg.compile(source, regime=regime)
        assert not again.cached, name
        assert again.accepts("abc")
        assert sg.compile(source, regime=regime).cached
