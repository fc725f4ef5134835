"""Numbers, dates and times that a text states: whole ones, and no others."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.reading.stated import dates, moments, number_statements, numbers, signed_numbers, times


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


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Kaltmiete 1.020 EUR, Wohnfläche 78,5 m²", ["1020", "78.5"]),
        ("rent 1,020 EUR for 78.5 m²", ["1020", "78.5"]),
        ("Total 123,456,789.25 for 1,234,567 people", ["123456789.25", "1234567"]),
        ("Balance −45.00 EUR", ["-45.00", "-45.0"]),
        ("fee (12.50), page (12)", ["-12.50", "-12.5", "12"]),
        ("1.020", ["1020", "1.020", "1.02"]),
        ("1234567890", ["1234567890"]),
        ("3.4.5", ["3", "4", "5"]),
        ("18 400 kr", ["18400"]),
        ("١٢٣ and १२", ["123", "12"]),
        ("for twelve months, twenty-five and thirty five", ["12", "25", "35"]),
        ("two hundred fifty, two hundred and one", []),
        ("seven hundred", ["700"]),
        ("zwölf Monate, einundzwanzig Tage", ["12", "21"]),
        ("treinta y cinco años", ["35"]),
        ("vingt et un jours, soixante-deux", ["21", "62"]),
        ("once upon a time, an elf, Sept., someone, this one", []),
        ("100 million shares, 1.2 billion people, 3 thousand", ["100000000", "1200000000", "3000"]),
        ("1,5 Mio. Euro, 2 Millionen, 7 Mrd.", ["1500000", "2000000", "7000000000"]),
        ("$1.2M, €5k, 298K, 5k run, 3 m", ["1200000", "5000", "298", "5", "3"]),
        ("1e-9 and 2.5E+3", ["0.000000001", "2500"]),
        ("part a2e5, 2e5y, 1e99", ["2", "5", "1", "99"]),
    ],
)
def test_a_number_is_read_whole(text: str, stated: list[str]) -> None:
    assert list(dict.fromkeys(one.value for one in number_statements(text))) == stated


@given(st.integers(0, 10**12), st.integers(0, 99), st.sampled_from([",.", ".,", " ,", "’."]))
def test_a_formatted_amount_has_its_value_and_no_other(whole: int, cents: int, marks: str) -> None:
    for thousands in (marks[0], ""):
        text = f"{whole:,}".replace(",", thousands) + f"{marks[1]}{cents:02}"
        found = {Decimal(one.value) for one in number_statements(f"total {text} EUR")}
        assert found == {Decimal(f"{whole}.{cents:02}")}


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("minus -8.4 degrees", ["-8.4"]),
        ("[-50000, 10000, -3]", ["-50000", "10000", "-3"]),
        ("coefficients 2 and -4, x=-5", ["2", "-4", "-5"]),
        ("\n-5 apples", ["5", "-5"]),
        ("10 -12, 2019-2020", ["10", "12", "-12", "2019", "2020"]),
    ],
)
def test_a_hyphen_that_touches_its_digits_alone_is_a_minus(text: str, stated: list[str]) -> None:
    assert list(signed_numbers(text, whole=False)) == stated


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
        ("Jalan 18 03 05-19, Tel 1588-07-16-22, 25/12/2018", ["2018-12-25"]),
        ("room 0026-05-06, part 2026-05-06-1234", []),
        ("18 June 1815", ["1815-06-18"]),
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
        ("14:30:00+02:00, 10:30 UTC, 09:15Z", ["14:30:00+02:00", "10:30:00Z", "09:15:00Z"]),
        ("9:00-10:30 Uhr on 12.03.2026", ["09:00:00"]),
    ],
)
def test_every_time_of_day_is_given(text: str, stated: list[str]) -> None:
    assert list(times(text)) == stated


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("May 6, 2026, 2:30 pm", ["2026-05-06T14:30:00"]),
        ("14:30 on 6 May 2026", ["2026-05-06T14:30:00"]),
        ("2026-05-06T14:30:15.5+0200", ["2026-05-06T14:30:15+02:00"]),
        ("am 3. Mai 2025 um 14:05 Uhr", ["2025-05-03T14:05:00"]),
        ("6 May 2026, gate 4, 14:30", []),
    ],
)
def test_a_date_and_the_time_beside_it_are_one_moment(text: str, stated: list[str]) -> None:
    assert list(moments(text)) == stated


MONTH_NAMES = """
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
januari februari maart april mei juni juli augustus september oktober november december
janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia
ledna února března dubna května června července srpna září října listopadu prosince
januari februari mars april maj juni juli augusti september oktober november december
januar februar marts april maj juni juli august september oktober november december
ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık
"""


@pytest.mark.parametrize("names", MONTH_NAMES.strip().splitlines(), ids=lambda names: names.split()[0])
def test_months_have_names_in_many_languages(names: str) -> None:
    for month, name in enumerate(names.split(), 1):
        for text in (f"17. {name} 2026", f"17 {name.capitalize()} 2026"):
            assert set(dates(text)) == {f"2026-{month:02}-17"}, text


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("1. 10. 2026", {"2026-10-01"}),
        ("od 2. 3. 2026 do 15. 12. 2026", {"2026-03-02", "2026-12-15"}),
        ("Section 3. 12. apples", set()),
    ],
)
def test_a_date_may_have_spaces_behind_its_points(text: str, stated: set[str]) -> None:
    assert set(dates(text)) == stated
