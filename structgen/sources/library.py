"""The library: grammars that come with structgen, by name, each written from a standard and shipped with its cases.

    model.generate("When is the meeting?", sg.library["iso-date"])

A grammar is a file x.ebnf or x.lark beside x.toml, which has its title, the standard that it follows, and texts that it
accepts and rejects. They lie in the folder `grammars` of the repository, `structgen/grammars` in an installation.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from structgen.errors import InvalidSource
from structgen.grammar import Grammar

from .check_digits import with_check_digits
from .combined import Combined
from .ebnf import Ebnf
from .lark import Lark

PACKAGE = Path(__file__).parents[1]
FOLDERS = (PACKAGE / "grammars", PACKAGE.parent / "grammars")  # of an installation, of the repository
NOTATIONS = {".ebnf": Ebnf, ".lark": Lark}
CLOSE = 3  # names that a message suggests


@dataclass(frozen=True)
class LibraryGrammar:
    """One grammar of the library.

    title: what it describes; standard: what it follows, with url; note: what it leaves out, empty if nothing
    accept, reject: texts that it must accept and reject; notation: .ebnf or .lark
    check: "mod-97" keeps of the texts those whose check digits are right, empty if there are none
    """

    name: str
    title: str
    standard: str
    url: str
    note: str
    accept: tuple[str, ...]
    reject: tuple[str, ...]
    text: str
    notation: str
    check: str = ""

    @classmethod
    def read(cls, path: Path) -> LibraryGrammar:
        """The entry whose grammar is the file `path`; its cases lie beside it."""
        about = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
        accept, reject = tuple(about.pop("accept")), tuple(about.pop("reject"))
        about.setdefault("note", "")
        text = path.read_text(encoding="utf-8")
        return cls(path.stem, **about, accept=accept, reject=reject, text=text, notation=path.suffix)

    @cached_property
    def source(self) -> Ebnf | Lark | Combined:
        """The grammar as a source."""
        form = NOTATIONS[self.notation](self.text)
        return Combined(Grammar(with_check_digits(form.lower()))) if self.check == "mod-97" else form


class UnknownGrammar(InvalidSource, KeyError):
    """The library has no grammar of this name; a KeyError too, as mappings raise it."""

    __str__ = Exception.__str__  # KeyError's would put the sentence in quotes


class GrammarLibrary(Mapping[str, Ebnf | Lark | Combined]):
    """The grammars that come with structgen, as sources by name; nothing is read before it is asked for."""

    def __getitem__(self, name: str) -> Ebnf | Lark | Combined:
        """The grammar of this name. Raises UnknownGrammar, with the nearest names, if there is none."""
        return self.entry(name).source

    def __iter__(self) -> Iterator[str]:
        return iter(_paths())

    def __len__(self) -> int:
        return len(_paths())

    def __contains__(self, name: object) -> bool:
        return name in _paths()

    def __repr__(self) -> str:
        return f"sg.library({', '.join(self)})"

    def entry(self, name: str) -> LibraryGrammar:
        """The grammar of this name, with its title, its standard and its cases."""
        if name not in _paths():
            close = difflib.get_close_matches(str(name).lower(), self, CLOSE)
            known = f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(self)}"
            raise UnknownGrammar(f"the library has no grammar {name!r}; {known}")
        return _entry(name)


@cache
def _paths() -> dict[str, Path]:
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    found = [] if folder is None else [path for path in folder.iterdir() if path.suffix in NOTATIONS]
    return {path.stem: path for path in sorted(found)}


@cache
def _entry(name: str) -> LibraryGrammar:
    return LibraryGrammar.read(_paths()[name])


library = GrammarLibrary()
