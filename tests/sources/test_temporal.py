"""Dates, times and durations between bounds: pydantic compares, and nothing between is missing."""

from __future__ import annotations

import datetime as dt
import random
from typing import Annotated, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter

from conformance.sampler import Sampler
from structgen.grammar import Expr, Grammar
from structgen.sources.json_schema.temporal import duration_of, temporal
from structgen.sources.languages import contains

ZONES = st.sampled_from([None, "naive", "utc", "+03:00"])
MICRO = dt.timedelta(microseconds=1)
near = st.integers(-3, 3)
seconds = st.one_of(st.integers(-(10**7), 10**12), st.integers(0, 7200).map(lambda n: n * 10**6))


def all_between(expr: Expr, type_: Any, low: Any, high: Any) -> None:
    """Every drawn text is one that pydantic finds between the bounds."""
    judge = TypeAdapter(Annotated[type_, Field(ge=low, le=high)]).validator.validate_python
    sampler = Sampler(Grammar(expr), random.Random(0))
    for _ in range(10):
        judge(sampler.text())


@settings(max_examples=40, deadline=None)
@given(st.dates(), st.dates(), st.dates(), near)
def test_dates_between_bounds(a: dt.date, b: dt.date, other: dt.date, beside: int):
    low, high = min(a, b), max(a, b)
    expr = temporal("date", low.isoformat(), high.isoformat(), None)
    all_between(expr, dt.date, low, high)
    for end in (low, high, other):
        day = dt.date.fromordinal(min(max(end.toordinal() + beside, 1), dt.date.max.toordinal()))
        assert contains(expr, day.isoformat()) == (low <= day <= high)


@settings(max_examples=40, deadline=None)
@given(st.datetimes(), st.datetimes(), st.datetimes(), ZONES)
def test_datetimes_between_bounds(a: dt.datetime, b: dt.datetime, other: dt.datetime, zone: str | None):
    low, high = min(a, b), max(a, b)
    expr = temporal("date-time", low.isoformat(), high.isoformat(), zone)
    all_between(expr, dt.datetime, low, high)
    suffix = {None: "Z", "naive": "", "utc": "Z"}.get(zone, zone or "")
    for moment in (low, high, other):
        assert contains(expr, moment.isoformat() + suffix) == (low <= moment <= high)


@settings(max_examples=40, deadline=None)
@given(st.times(), st.times(), st.times())
def test_times_between_bounds(a: dt.time, b: dt.time, other: dt.time):
    low, high = min(a, b), max(a, b)
    expr = temporal("time", low.isoformat(), high.isoformat(), None)
    all_between(expr, dt.time, low, high)
    for time in (low, high, other):
        assert contains(expr, time.isoformat()) == (low <= time <= high)


@settings(max_examples=60, deadline=None)
@given(seconds, seconds, seconds, near)
def test_durations_between_bounds(a: int, b: int, other: int, beside: int):
    low, high = min(a, b), max(a, b)
    expr = temporal("duration", duration_of(low), duration_of(high), None)
    all_between(expr, dt.timedelta, low * MICRO, high * MICRO)
    written = TypeAdapter(dt.timedelta).dump_python
    for length in (low, high, other, low + beside, high + beside):
        text = written(length * MICRO, mode="json")
        plain = "Y" not in text and (length >= 0 or low < 0)
        assert not plain or contains(expr, text) == (low <= length <= high)
