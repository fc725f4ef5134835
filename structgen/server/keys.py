"""API keys: only their hashes are kept, and every comparison takes the same time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from structgen.errors import InvalidOption


def _hashed(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


@dataclass(eq=False)
class Keys:
    """The keys that open a server: those given at its start, and those of a file that may change while it runs."""

    given: Sequence[bytes]
    file: Path | None = None
    _seen: tuple[int, int] | None = field(default=None, repr=False)
    _from_file: Sequence[bytes] = field(default=(), repr=False)

    @classmethod
    def of(cls, keys: Sequence[str], file: Path | None) -> Keys:
        """The keys; raises InvalidOption if one is empty or the file cannot be read."""
        if not all(key.strip() for key in keys):
            raise InvalidOption("an API key is a string that is not empty")
        made = cls([_hashed(key.strip()) for key in keys], file)
        made.read()
        return made

    @property
    def open(self) -> bool:
        """Whether no key is needed."""
        return not self.given and self.file is None

    def read(self) -> None:
        """Read the file if it has changed; an unreadable file keeps the keys that it had."""
        if self.file is None:
            return
        try:
            stat = self.file.stat()
            seen = stat.st_mtime_ns, stat.st_size
            if seen != self._seen:
                lines = self.file.read_text(encoding="utf-8").split("\n")
                self._from_file = [_hashed(line.strip()) for line in lines if line.strip()]
                self._seen = seen
        except (OSError, UnicodeDecodeError) as error:
            if self._seen is None:
                raise InvalidOption(f"the key file {self.file} cannot be read: {error}") from None

    def accept(self, key: str) -> bool:
        """Whether this is one of the keys; all are compared, in constant time."""
        self.read()
        hashed, found = _hashed(key), False
        for known in (*self.given, *self._from_file):
            found |= hmac.compare_digest(hashed, known)
        return found
