"""Numbers, dates and times that a text states."""

from __future__ import annotations

import pytest

from structgen.reading.stated import dates, numbers, times


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("total 12.50 EUR", ["12.50", "12.5"]),
        ("1.234,50 EUR", ["1234.50", "1234.5"]),
        ("$1,234", ["1234"]),
        ("18 400 kr", ["18400"]),
        ("minus -8.4 degrees", ["8.4", "-8.4"]),
        ("room 508, floor 5", ["508", "5"]),
        ("No. 007", ["7"]),
    ],
)
def test_every_reading_of_a_number_is_given(text: str, stated: list[str]) -> None:
    assert set(stated) <= set(numbers(text, whole=False))


def test_a_date_has_no_negative_numbers_and_whole_numbers_have_no_point() -> None:
    assert "-3" not in numbers("2026-03-14", whole=False)
    assert all("." not in one for one in numbers("12.50 and 1.234,5", whole=True))


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("2026-05-09", ["2026-05-09"]),
        ("03/04/26", ["2026-04-03", "2026-03-04"]),
        ("am 3. Mai 2025", ["2025-05-03"]),
        ("le 1er août 2024", ["2024-08-01"]),
        ("5 de junio de 2023", ["2023-06-05"]),
        ("March 5, 2026", ["2026-03-05"]),
        ("14-Mar-2026", ["2026-03-14"]),
        ("31.12.2026", ["2026-12-31"]),
        ("on 22 May; printed 2025", ["2025-05-22"]),
        ("maybe 12 people marched in 2026", []),
        ("31/02/2026", []),
        ("25/06/2026 to 11/07/2026", ["2026-06-25", "2026-07-11"]),
        ("06/25/2026 to 07/11/2026", ["2026-06-25", "2026-07-11"]),
        ("am 16.7. oder 11/07/2026", ["2026-07-16", "2026-07-11"]),
        ("16/20/2026 and 20/16/2026, 11/07/2026", ["2026-07-11", "2026-11-07"]),
        ("11.07.2026", ["2026-07-11"]),
    ],
)
def test_every_reading_of_a_date_is_given(text: str, stated: list[str]) -> None:
    assert list(dates(text)) == stated


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("16:20", ["16:20:00"]),
        ("8 am", ["08:00:00"]),
        ("12 pm and 12 a.m.", ["12:00:00", "00:00:00"]),
        ("14h30", ["14:30:00"]),
        ("12:16:05", ["12:16:05"]),
        ("25:00, 7 apples", []),
    ],
)
def test_every_time_of_day_is_given(text: str, stated: list[str]) -> None:
    assert list(times(text)) == stated
