"""Strategies of regular expressions, and of texts that they may match.

PLAIN patterns have no assertion. ASSERTED ones have look-aheads and anchors between plain parts, and are what the two
dialects have in common. WHOLE ones are Python's: assertions, atomic groups and flags stand anywhere in them.
"""

from __future__ import annotations

from hypothesis import strategies as st

TEXTS = st.text("abcAB01_- \n.é]^", max_size=6)

_atoms = st.sampled_from(
    [*["a", "b", "c", "0", "é", ".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\.", r"\-", r"\x61", r"\u0062", r"\n"],
    *["[ab]", "[^ab]", "[a-c0]", r"[\w-]", r"[\W\D]", "[]a]", "[^]a]", r"[\d.]", r"[^\s]", r"[\]^-]", "]", r"[\101-C]"]]
)  # fmt: skip
_quantifiers = st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{,2}", "{0,2}", "*?", "+?", "??", "{1,2}?"])


def _composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    grouped = inner.map("(?:{})".format) | inner.map("({})".format) | inner.map("(?i:{})".format)
    return st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{}|{}".format, inner, inner),
        st.builds("{}{}".format, grouped, _quantifiers),
        st.builds("{}{}".format, _atoms, _quantifiers),
        grouped,
    )


PLAIN = st.recursive(_atoms, _composed, max_leaves=6)
_looking = st.builds("(?={})".format, PLAIN) | st.builds("(?!{})".format, PLAIN)
_asserted = _looking | st.sampled_from(["^", "$"])
_row = st.lists(PLAIN.map("(?:{})".format) | _asserted, min_size=1, max_size=4).map("".join)
ASSERTED = st.lists(_row, min_size=1, max_size=2).map("|".join)

_few = st.sampled_from(
    ["a", "b", "c", "é", "ab", ".", r"\w", r"\W", "[ab]", "[^a]", " ", r"\n", "a|b", "[bA]"]
)
_fixed = st.sampled_from(
    ["a", "ab", r"\w", r"[^a]b", "^", "^a", r"a\b", "a|b", r"\b", "(?!b).", "(?<!a)b", "(?=b).."]
)
_placed = st.one_of(
    st.sampled_from(["^", "$", r"\b", r"\B", r"\A", r"\Z"]),
    _fixed.map("(?<={})".format),
    _fixed.map("(?<!{})".format),
)
_greed = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "*?", "+?", "??", "*+", "++", "?+", "{1,2}+"])
_opened = st.sampled_from(["(?:", "(?>", "(?=", "(?!", "(?i:", "(?m:", "(?a:", "(?-i:", "(?s:", "(?x: "])


def _mixed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner | _placed, min_size=2, max_size=3).map("".join),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, _greed),
        st.builds("{}{})".format, _opened, inner),
    )


_flags = st.sampled_from(["", "", "", "(?i)", "(?m)", "(?a)"])
WHOLE = st.builds("{}{}".format, _flags, st.recursive(_few, _mixed, max_leaves=6))
WORDS = st.text("abcAB é\n", max_size=6)
