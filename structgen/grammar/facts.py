"""What is known of an expression without compiling it."""

from __future__ import annotations

from typing import NamedTuple


class Facts(NamedTuple):
    """The properties of an expression that follow from its parts.

    closed: it has no Ref, so its meaning does not depend on a grammar
    textual: it consists of bytes and characters alone, without Ref, Token or Slack
    size: bytes, characters and references once its repetitions are written out
    nullable: it contains the empty string; False for a Ref, for which this is not known
    ordered: it has an AnyOrder
    copied: it has an Excerpt
    """

    closed: bool
    textual: bool
    size: int
    nullable: bool
    ordered: bool
    copied: bool
