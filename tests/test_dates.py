"""Dates of feeds and pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndtrack.reading.dates import _MONTHS, _folded, parse_date


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-06-05T14:03:02Z", at(2021, 6, 5, 14, 3, 2)),
        ("2021-06-05T14:03:02.123456789+02:00", at(2021, 6, 5, 12, 3, 2)),
        ("2021-06-05 14:03", at(2021, 6, 5, 14, 3)),
        ("2021-06-05", at(2021, 6, 5)),
        ("20210605", at(2021, 6, 5)),
        ("20210605140302", at(2021, 6, 5, 14, 3, 2)),
        ("2021-6-5", at(2021, 6, 5)),
        ("2021-06-05 14:03:02 UTC", at(2021, 6, 5, 14, 3, 2)),
        ("2021-06-30T23:59:60Z", at(2021, 6, 30, 23, 59, 59)),
        ("Sat, 05 Jun 2021 14:03:02 GMT", at(2021, 6, 5, 14, 3, 2)),
        ("Sat, 5 Jun 21 14:03 EST", at(2021, 6, 5, 19, 3)),
        ("Sat, 05 Jun 2021 14:03:02 CEST", at(2021, 6, 5, 12, 3, 2)),
        ("Sat Jun 05 2021 14:03:02 GMT+0300 (Moscow Standard Time)", at(2021, 6, 5, 11, 3, 2)),
        ("Sat, 05 Jun 2021 14:03:02 GMT+2", at(2021, 6, 5, 12, 3, 2)),
        ("June 5, 2021 2:03 PM EDT", at(2021, 6, 5, 18, 3)),
        ("June 5, 2021, 2:03 p.m.", at(2021, 6, 5, 14, 3)),
        ("25/06/2021 14:03", at(2021, 6, 25, 14, 3)),
        ("6/25/2021 2:03:00 PM", at(2021, 6, 25, 14, 3)),
        ("1622901782", at(2021, 6, 5, 14, 3, 2)),
        ("1622901782000", at(2021, 6, 5, 14, 3, 2)),
        ("  2021-06-05T14:03:02Z\n", at(2021, 6, 5, 14, 3, 2)),
        ("1970-01-01T00:00:00Z", at(1970, 1, 1)),
    ],
)
def test_the_forms_that_feeds_and_pages_use_become_utc(text: str, expected: datetime):
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Samstag, 5. Juni 2021, 14:03 Uhr", at(2021, 6, 5, 14, 3)),
        ("sam. 5 juin 2021 14:03", at(2021, 6, 5, 14, 3)),
        ("mar. 2 mars 2021", at(2021, 3, 2)),
        ("4 juillet 2021", at(2021, 7, 4)),
        ("5 de junio de 2021", at(2021, 6, 5)),
        ("sáb, 05 jun 2021 14:03:02 -0300", at(2021, 6, 5, 17, 3, 2)),
        ("5 giugno 2021", at(2021, 6, 5)),
        ("5 июня 2021 14:03", at(2021, 6, 5, 14, 3)),
        ("3 lipca 2021", at(2021, 7, 3)),
        ("2 listopada 2021", at(2021, 11, 2)),
        ("2. listopadu 2021", at(2021, 11, 2)),
        ("2. listopada 2021. 14:03", at(2021, 10, 2, 14, 3)),
        ("2 листопада 2021", at(2021, 11, 2)),
        ("3. marraskuuta 2020", at(2020, 11, 3)),
        ("3. maaliskuuta 2020", at(2020, 3, 3)),
        ("5. heinäkuuta 2021", at(2021, 7, 5)),
        ("5 juin 2021", at(2021, 6, 5)),
        ("5 juillet 2021", at(2021, 7, 5)),
        ("5 Haziran 2021", at(2021, 6, 5)),
        ("2021年6月5日 14:03", at(2021, 6, 5, 14, 3)),
        ("2021년 6월 5일", at(2021, 6, 5)),
    ],
)
def test_month_names_of_other_languages_are_understood(text: str, expected: datetime):
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    "text",
    [None, "", "   ", "yesterday", "June 2021", "5", "14:03", "2021-13-45", "Sat, 35 Jun 2021 10:00:00 GMT", "\x00", "9" * 400, "0" * 12],
)
def test_what_names_no_day_is_none(text: str | None):
    assert parse_date(text) is None


def test_a_day_and_month_that_could_be_exchanged_are_not_guessed():
    assert parse_date("03/04/2021") is None
    assert parse_date("04/04/2021") == at(2021, 4, 4)


@pytest.mark.parametrize("text", ["2. listopad 2021", "listopad 2, 2021", "2. listopada 2021", "12. lipnja 2021", "12 lip 2021"])
def test_a_month_that_is_another_one_in_another_language_is_not_guessed(text: str):
    assert parse_date(text) is None


def test_no_beginning_of_a_months_name_stands_for_two_months():
    written = [name for names in _MONTHS for name in {_folded(n) for n in names.split()}]
    assert sorted(written) == sorted(set(written))


def test_years_that_stand_for_none_are_none():
    assert parse_date("Mon, 01 Jan 0001 00:00:00 +0000") is None
    assert parse_date("0001-01-01T00:00:00Z") is None
    assert parse_date("9999-12-31T23:59:59Z") is None
    assert parse_date("1899-12-30T00:00:00") is None


@given(st.text(max_size=120) | st.text("0123456789:-+/., TZaprJunGMT年", max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_an_aware_time_in_utc_or_none(text: str):
    found = parse_date(text)
    assert found is None or found.utcoffset() == timedelta(0)


OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1), timezones=OFFSETS).map(lambda d: d.replace(microsecond=0)))
@settings(max_examples=100, deadline=None)
def test_iso_and_mail_forms_of_any_time_mean_that_time(when: datetime):
    assert parse_date(when.isoformat()) == when
    assert parse_date(when.strftime("%a, %d %b %Y %H:%M:%S %z")) == when
