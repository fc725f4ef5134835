"""The leaves of an answer, against json itself."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from structgen.generation.leaves import MISSING, Answer

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_every_leaf_is_found_with_its_text(value, indent, escaped):
    answer = Answer(json.dumps(value, indent=indent, ensure_ascii=escaped))
    for leaf in answer.leaves.values():
        assert json.loads(answer.text[leaf.start : leaf.end]) == leaf.value
        assert answer.value(answer.text.encode(), leaf.pointer) == leaf.value
    assert rebuilt(value) == [leaf.value for leaf in answer.leaves.values()]


def rebuilt(value) -> list:
    if isinstance(value, dict) and value:
        return [leaf for part in value.values() for leaf in rebuilt(part)]
    if isinstance(value, list) and value:
        return [leaf for part in value for leaf in rebuilt(part)]
    return [value]


def test_what_is_no_json_is_one_leaf():
    (leaf,) = Answer("ab c", is_json=False).leaves.values()
    assert (leaf.pointer, leaf.value, leaf.start, leaf.end) == ("", "ab c", 0, 4)


def test_a_pointer_that_leads_nowhere_has_no_value():
    for text in (b'{"a": [1]}', b"{", b"\xff"):
        assert Answer("{}").value(text, "/a/1") is MISSING
