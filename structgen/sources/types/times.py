"""Bounds of dates, times and durations in pydantic's core schemas, as keywords.

A bound without a zone is compared with the digits as written, so any zone may follow them; with a zone in the bound,
moments are written in UTC. Past and future are bounds as well: they are relative to the day on which the class is
compiled, with a margin in days for zones and for the time until the text is parsed.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ..json_schema.own import MAXIMUM, MINIMUM, ZONE
from ..json_schema.temporal import duration_of
from .notes import checked

DAYS_APART = 2  # days between the day of compiling and the bound for past or future
_DAY, _TICK = datetime.timedelta(days=1), datetime.timedelta(microseconds=1)
_KINDS = {"date": datetime.date, "time": datetime.time, "date-time": datetime.datetime}

Bounds = dict[str, Any]


def bounded(format_: str, bounds: Bounds, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a format with bounds."""
    result = {"type": "string", "format": format_, **bounds}
    if "now_op" not in schema:
        return result
    when = schema["now_op"]
    message = f"what is {when} is counted from the day of compiling, with {DAYS_APART} days to spare"
    return checked(result, "format", message, "compile anew for texts that are parsed much later")


def moment_bounds(format_: str, schema: Mapping[str, Any]) -> Bounds:
    """The bounds of dates and times."""
    low, low_zone = _bound(schema.get("ge"), schema.get("gt"), 1)
    high, high_zone = _bound(schema.get("le"), schema.get("lt"), -1)
    zone = _zone(schema.get("tz_constraint"), {low_zone, high_zone} - {None})
    if schema.get("now_op"):
        low, high = _now(format_, schema["now_op"], low, high)
    found = {MINIMUM: low, MAXIMUM: high, ZONE: zone}
    return {keyword: value for keyword, value in found.items() if value is not None}


def _bound(closed: Any, open_: Any, sign: int) -> tuple[str | None, str | None]:
    """The inclusive bound of an inclusive and an exclusive one, and its zone."""
    ends = [_written(closed)] if closed is not None else []
    ends += [_written(_next(open_, sign))] if open_ is not None else []
    if not ends:
        return None, None
    return max(ends, key=lambda end: end[0]) if sign > 0 else min(ends, key=lambda end: end[0])


def _next(value: Any, sign: int) -> Any:
    """The neighbour of a value, which is the first one that an exclusive bound allows."""
    try:
        if isinstance(value, datetime.datetime):
            return value + sign * _TICK
        if isinstance(value, datetime.date):
            return value + sign * _DAY
        whole = datetime.datetime.combine(datetime.date(2000, 1, 2), value) + sign * _TICK
    except OverflowError:
        return value
    return whole.timetz()


def _written(value: Any) -> tuple[str, str | None]:
    """The digits of a bound, and their zone."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(), "utc"
    if isinstance(value, datetime.time) and value.tzinfo is not None:
        digits, offset = value.replace(tzinfo=None).isoformat(), value.utcoffset()
        return digits, _offset(round(offset.total_seconds())) if offset else "utc"
    return value.isoformat(), None


def _zone(constraint: Any, zones: set[str | None]) -> str | None:
    """The zones that may be written."""
    if isinstance(constraint, int) and not isinstance(constraint, bool):
        return _offset(constraint)
    if constraint == "naive":
        return "naive"
    return next(iter(zones), None if constraint is None else "aware")


def _offset(seconds: int) -> str:
    sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


def _now(format_: str, when: str, low: str | None, high: str | None) -> tuple[str | None, str | None]:
    """The bounds, combined with those for the past or the future."""
    today = datetime.datetime.now(datetime.UTC).date()
    if when == "past":
        end = (today - DAYS_APART * _DAY).isoformat() + ("" if format_ == "date" else "T00:00:00")
        return low, end if high is None else min(high, end)
    start = (today + DAYS_APART * _DAY).isoformat() + ("" if format_ == "date" else "T00:00:00")
    return start if low is None else max(low, start), high


def span_bounds(schema: Mapping[str, Any]) -> Bounds:
    """The bounds of durations, in seconds."""
    lows = [
        _micros(schema[key]) + step for key, step in (("ge", 0), ("gt", 1)) if schema.get(key) is not None
    ]
    highs = [
        _micros(schema[key]) - step for key, step in (("le", 0), ("lt", 1)) if schema.get(key) is not None
    ]
    found = {MINIMUM: max(lows, default=None), MAXIMUM: min(highs, default=None)}
    return {keyword: duration_of(value) for keyword, value in found.items() if value is not None}


def _micros(value: datetime.timedelta) -> int:
    return value // _TICK
