"""The drafts of JSON Schema: the draft of a schema, and the keywords that each draft defines.

A keyword that a draft does not define has no effect there: `const` in draft 4 is an annotation, whatever was intended.
"""

from __future__ import annotations

import re
from typing import Any

OLDEST, LATEST = 4, 2020
REF_ALONE = 7  # up to this draft a $ref hides everything beside it

# The first and the last draft that define a keyword; keywords that are not listed have the same meaning in all drafts.
_KNOWN = {
    **dict.fromkeys(("const", "contains", "propertyNames", "$id"), (6, LATEST)),
    **dict.fromkeys(("if", "then", "else"), (7, LATEST)),
    **dict.fromkeys(("$defs", "$anchor", "dependentRequired", "dependentSchemas"), (2019, LATEST)),
    **dict.fromkeys(("minContains", "maxContains"), (2019, LATEST)),
    **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), (2019, LATEST)),
    **dict.fromkeys(("$recursiveRef", "$recursiveAnchor"), (2019, 2019)),
    **dict.fromkeys(("prefixItems", "$dynamicRef", "$dynamicAnchor"), (2020, LATEST)),
}


def draft_of(schema: Any, default: int = LATEST) -> int:
    """The draft that `$schema` names: 4, 6, 7, 2019 or 2020; `default` if it names none."""
    name = schema.get("$schema") if isinstance(schema, dict) else None
    if not isinstance(name, str):
        return default
    older = re.search(r"draft-0([1-7])/", name)
    if older:
        return max(int(older[1]), OLDEST)
    return 2019 if "2019-09" in name else LATEST


def is_older(schema: Any) -> bool:
    """Whether `$schema` names a draft before the oldest supported one; it is then read as the oldest."""
    name = schema.get("$schema") if isinstance(schema, dict) else None
    older = re.search(r"draft-0([1-7])/", name) if isinstance(name, str) else None
    return older is not None and int(older[1]) < OLDEST


def knows(draft: int, keyword: str) -> bool:
    """Whether a draft defines a keyword."""
    first, last = _KNOWN.get(keyword, (OLDEST, LATEST))
    return first <= draft <= last


def spelled(draft: int) -> str:
    """The usual name of a draft."""
    return {2019: "2019-09", 2020: "2020-12"}.get(draft, str(draft))
