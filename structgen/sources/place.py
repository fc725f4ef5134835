"""A place in the source of a grammar, and errors that show it: line, column, the line itself and a caret."""

from __future__ import annotations

from dataclasses import dataclass, field

from structgen.errors import InvalidSource, Unsatisfiable, Unsupported

WIDEST = 100  # characters of a line that are shown


@dataclass(frozen=True)
class Place:
    """An offset in a source, in characters. A line ends with LF or CR LF, neither of which counts as a column."""

    source: str = field(repr=False)
    offset: int
    kind: str = "grammar"  # what the source is, for messages

    @property
    def line(self) -> int:
        """The number of the line, from 1."""
        return self.source.count("\n", 0, self.offset) + 1

    @property
    def column(self) -> int:
        """The number of the character in its line, from 1."""
        return self.offset - self.source.rfind("\n", 0, self.offset)

    @property
    def excerpt(self) -> str:
        """The line, or the part of a long one around the place, and below it a caret."""
        text = self.source[self.offset - self.column + 1 :].partition("\n")[0].rstrip("\r")
        at = min(self.column - 1, len(text))
        begin = max(0, at - WIDEST // 2) if len(text) > WIDEST else 0
        shown = text[begin : begin + WIDEST].encode(errors="replace").decode()
        margin = "".join("\t" if char == "\t" else " " for char in shown[: at - begin])
        return f"{shown}\n{margin}^"

    def invalid(self, what: str, instead: str = "") -> InvalidSource:
        """The error that the source is malformed here."""
        return InvalidSource(self.sentence(what, instead))

    def unsupported(self, what: str, instead: str) -> Unsupported:
        """The error that what stands here cannot be enforced."""
        return Unsupported(self.sentence(what, instead), keyword=what.split()[0], remedy=None)

    def unsatisfiable(self, what: str, instead: str) -> Unsatisfiable:
        """The error that no text satisfies what stands here."""
        return Unsatisfiable(self.sentence(what, instead))

    def sentence(self, what: str, instead: str = "") -> str:
        """Where, what, and what to write instead; then the excerpt."""
        remedy = f"; {instead}" if instead else ""
        return f"line {self.line}, column {self.column} of the {self.kind}: {what}{remedy}\n{self.excerpt}"


def encodable(source: str) -> str:
    """The source itself; half of a surrogate pair in it is refused."""
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise Place(source, error.start).invalid(
            "half of a surrogate pair is no character", "write both"
        ) from None
    return source
