"""The errors that structgen raises, as one tree of classes a caller can catch.

    StructgenError
    ├── InvalidSource    the schema, pattern, class or grammar is malformed; says where
    ├── Unsupported      well-formed, but not enforceable: names keyword, pointer and remedy
    ├── Unsatisfiable    nothing satisfies the source, or nothing within the given budget does
    ├── Rejected         a Python validator of the class rejects what was generated; keeps the text
    ├── InvalidDocument  the text to work on is empty, unreadable or longer than the model reads
    ├── MissingExtra     a package that is needed to read the document is not installed
    ├── InvalidVocabulary  the tokenizer file is missing, corrupt or of an unknown kind
    ├── ModelNotFound    there is no model of that name or in that folder
    └── InvalidOption    an option has the wrong type or is out of range; also a ValueError

Every message is one sentence that says what is wrong, where, and what to do.
"""

from __future__ import annotations


class StructgenError(Exception):
    """Base class of everything structgen raises on purpose."""


class InvalidSource(StructgenError):
    """The schema, pattern, class or grammar is malformed."""

    def __init__(self, message: str, *, pointer: str | None = None):
        super().__init__(_placed(message, pointer))
        self.pointer = pointer


class Unsupported(StructgenError):
    """The source asks for something that structgen cannot enforce; it is refused, never widened."""

    def __init__(
        self,
        message: str,
        *,
        keyword: str | None = None,
        pointer: str | None = None,
        remedy: str | None = None,
    ):
        text = _placed(message, pointer)
        super().__init__(text if remedy is None else f"{text}; {remedy}")
        self.keyword = keyword
        self.pointer = pointer
        self.remedy = remedy


def _placed(message: str, pointer: str | None) -> str:
    """The message with the JSON pointer of its cause: "" is the root of a schema, None means there is no pointer."""
    return message if pointer is None else f"{message} (at {pointer or '/'})"


class Unsatisfiable(StructgenError):
    """No output can satisfy the request; `min_tokens` is the smallest budget that would suffice, None if none does."""

    def __init__(self, message: str, *, min_tokens: int | None = None):
        super().__init__(message)
        self.min_tokens = min_tokens


class Rejected(StructgenError):
    """A text has no value: a Python validator rejects it, or it cannot be read; `text` keeps the text.

    draws: how many outputs were drawn, if one was generated; all of them were rejected
    """

    def __init__(self, message: str, *, text: str, draws: int | None = None):
        super().__init__(message)
        self.text, self.draws = text, draws


class InvalidDocument(StructgenError):
    """The document is empty, not text, or longer than the model reads."""


class MissingExtra(StructgenError):
    """A package that this kind of document needs is not installed; the message says how to install it."""


class InvalidVocabulary(StructgenError):
    """The tokenizer file is missing, corrupt or of an unknown kind."""


class ModelNotFound(StructgenError):
    """There is no model of that name or in that folder."""


class InvalidOption(StructgenError, ValueError):
    """An option of a call (steps, seed, device, …) has the wrong type or is out of range."""
