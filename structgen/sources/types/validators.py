"""The Python functions in pydantic's core schemas: those that a schema fully expresses, and the names of the others.

A core schema calls Python for many of pydantic's own types (addresses, paths, secrets), and for users' validators. Only
the functions listed here are known to accept everything that their schemas allow. All others are treated as code that
runs when the text is parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any

from pydantic import WithJsonSchema

ASCII = r"^[\x00-\x7F]*$"  # in ASCII, the number of bytes is the number of characters
NUMERIC = {
    "greater_than_validator": ("gt", "exclusiveMinimum"),
    "greater_than_or_equal_validator": ("ge", "minimum"),
    "less_than_validator": ("lt", "exclusiveMaximum"),
    "less_than_or_equal_validator": ("le", "maximum"),
    "multiple_of_validator": ("multiple_of", "multipleOf"),
}
LENGTHS = {"min_length_validator": ("min_length", "min"), "max_length_validator": ("max_length", "max")}
_MEANT = frozenset(
    [name for name, _ in (*NUMERIC.values(), *LENGTHS.values())]
    + ["max_digits", "decimal_places", "minLength", "maxLength", "minItems", "maxItems"]
)
COUNTED = {
    "string": "Length",
    "array": "Items",
    "object": "Properties",
}  # keywords of length, without their prefix min or max

_CARRIED = {
    "pydantic._internal._validators": (
        "sequence_validator", "pattern_", "ip_", "forbid_inf_nan_check", "defaultdict_validator",
        "validate_str_is_valid_iana_tz",
    ),
    "pydantic._internal._generate_schema": ("GenerateSchema._path_schema",),
    "pydantic._internal._known_annotated_metadata": (
        "apply_known_metadata.<locals>._apply_constraint_with_incompatibility_info",
    ),
    "pydantic.networks": ("",),
    "pydantic.types": ("SecretStr", "SecretBytes", "Secret.", "ByteSize._validate"),
    "structgen.sources.annotation": ("Described.",),
    "structgen.sources.types.foreign": ("_maker.<locals>.plainly",),
    "pydantic.color": ("Color._validate",),
    "ipaddress": ("IPv",),
}  # fmt: skip


def function_of(core: Mapping[str, Any]) -> Any:
    """The function of a core schema that has one for validating."""
    found = core.get("function")
    return found.get("function") if isinstance(found, dict) else None


def is_carried(function: Any) -> bool:
    """Whether a function accepts everything that pydantic's schema for it allows."""
    encoder = getattr(getattr(function, "__self__", None), "encoder", None)
    if encoder is not None:  # of bytes
        return encoder.__module__ == "pydantic.types"
    plain = _plain(function)
    if isinstance(plain, attrgetter):  # of an enum's value
        return True
    names = _CARRIED.get(getattr(plain, "__module__", ""), ())
    return any(getattr(plain, "__qualname__", "").startswith(name) for name in names)


def counts(core: Any) -> str | None:
    """What the length of a string's value counts: "str" for characters, "bytes" for bytes; None for other values."""
    while core is not None:
        if core["type"] in ("str", "bytes"):
            return core["type"]
        function = function_of(core)
        if function is not None and is_carried(function) and not _counts_as_inside(function):
            return None
        core = core.get("json_schema") or core.get("lax_schema") or core.get("schema")
    return None


def _counts_as_inside(function: Any) -> bool:
    """Whether the length of what a function returns is that of the string that it is given."""
    name = described(function)
    return "Secret" in name or name.startswith("Described.")


def bounds_of(function: Any, kind: Any, counted: str | None) -> dict[str, Any] | None:
    """The keyword for a bound that pydantic checks with a function; None if it is another function.

    kind: the JSON type of the values; counted: what the length of strings counts
    """
    if not isinstance(function, partial):
        return None
    name = function.func.__name__
    if name in NUMERIC and kind in ("integer", "number"):
        argument, keyword = NUMERIC[name]
        value = function.keywords.get(argument)
        return {keyword: value} if isinstance(value, int | float) else None
    if name in LENGTHS and kind in COUNTED:
        argument, end = LENGTHS[name]
        if kind == "string" and counted is None:
            return None
        ascii_only = {"pattern": ASCII} if counted == "bytes" else {}
        return {end + COUNTED[kind]: function.keywords[argument], **ascii_only}
    return None


def replaces(schema: Any) -> bool:
    """Whether a user's function reads the raw value first, so that pydantic checks only its result."""
    while schema["type"] in ("default", "model-field", "dataclass-field", "typed-dict-field"):
        schema = schema["schema"]
    raw = schema["type"] in ("function-before", "function-wrap", "function-plain")
    return raw and not is_carried(schema["function"]["function"])


def described(function: Any) -> str:
    """The name of a function, for messages."""
    plain = _plain(function)
    name = getattr(plain, "__qualname__", "") or type(plain).__name__
    module = getattr(plain, "__module__", "") or ""
    if module.startswith("pydantic._internal._known_annotated_metadata"):
        return "a predicate"
    return name.rpartition("<locals>.")[2].replace("<lambda>", "a lambda")


def is_pydantics(function: Any) -> bool:
    """Whether a function is pydantic's own and wraps no user's function."""
    plain = _plain(function)
    module = getattr(plain, "__module__", "") or ""
    return module.partition(".")[0] == "pydantic" and not getattr(plain, "__name__", "").startswith(
        "wrapped_"
    )


def users_words(metadata: Mapping[str, Any]) -> list[Any]:
    """The functions with which users change JSON schemas: those of types, then those of annotations."""
    keys = ("pydantic_js_functions", "pydantic_js_annotation_functions")
    return [function for key in keys for function in metadata.get(key, ()) if _is_users(function)]


def without(metadata: Mapping[str, Any], functions: Iterable[Any]) -> dict[str, Any]:
    """The metadata of a core schema without these functions and without json_schema_extra."""
    dropped = [id(function) for function in functions]
    kept = {key: value for key, value in metadata.items() if key != "pydantic_js_extra"}
    for key in ("pydantic_js_functions", "pydantic_js_annotation_functions"):
        if key in kept:
            kept[key] = [function for function in kept[key] if id(function) not in dropped]
    return kept


def without_bounds(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata without the bounds that pydantic puts there, sometimes under wrong keywords."""
    updates = metadata.get("pydantic_js_updates", {})
    kept = {key: value for key, value in updates.items() if key not in _MEANT}
    return {**metadata, "pydantic_js_updates": kept}


def _is_users(function: Any) -> bool:
    if isinstance(getattr(function, "__self__", None), WithJsonSchema):
        return True
    return not is_pydantics(function)


def _plain(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__func__", function)
