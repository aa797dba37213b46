"""What headers say about time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polling_rig import NOON

from syndtrack.polling.headers import fresh_for, http_date, retry_after


@pytest.mark.parametrize(("headers", "expected"), [
    ({"Retry-After": "120"}, 120), ({"Retry-After": " 0 "}, 0), ({"Retry-After": "Mon, 02 Mar 2026 12:10:00 GMT"}, 600),
    ({"Retry-After": "Mon, 02 Mar 2026 11:00:00 GMT"}, 0), ({"Retry-After": "Monday, 02-Mar-26 12:01:00 GMT"}, 60),
    ({"Retry-After": "Mon, 02 Mar 2026 15:10:00 GMT", "Date": "Mon, 02 Mar 2026 15:00:00 GMT"}, 600),
    ({"Retry-After": "-5"}, None), ({"Retry-After": "soon"}, None),
    ({"Retry-After": "9" * 400}, None), ({"Retry-After": "9999999999"}, 999_999_999), ({"Retry-After": ""}, None),
    ({"Retry-After": "Mon, 99 Mar 2026 25:00:00 GMT"}, None), ({}, None), ({"Retry-After": "1.5"}, None), ({"Retry-After": "١٢"}, None),
])  # fmt: skip
def test_retry_after_is_read_in_seconds_and_dates(headers, expected):
    found = retry_after(headers, NOON)
    assert (None if found is None else found.total_seconds()) == expected


@pytest.mark.parametrize(("headers", "expected"), [
    ({"Cache-Control": "max-age=600"}, 600), ({"Cache-Control": "public, MAX-AGE=600, x"}, 600), ({"Cache-Control": 'max-age="60"'}, 60),
    ({"Cache-Control": "max-age=600", "Age": "540"}, 60), ({"Cache-Control": "max-age=600", "Age": "700"}, None),
    ({"Cache-Control": "max-age=0"}, None), ({"Cache-Control": "no-cache, max-age=600"}, None), ({"Cache-Control": "no-store"}, None),
    ({"Cache-Control": "s-maxage=600"}, None), ({"Cache-Control": "max-age=-1"}, None), ({"Cache-Control": "max-age=x"}, None), ({}, None),
    ({"Expires": "Mon, 02 Mar 2026 13:00:00 GMT", "Date": "Mon, 02 Mar 2026 12:30:00 GMT"}, 1_800), ({"Expires": "0"}, None),
    ({"Expires": "Mon, 02 Mar 2026 13:00:00 GMT"}, None), ({"Cache-Control": "max-age=9", "Expires": "Mon, 02 Mar 2026 13:00:00 GMT"}, 9),
    ({"Expires": "Mon, 02 Mar 2026 12:00:00 GMT", "Date": "Mon, 02 Mar 2026 12:30:00 GMT"}, None),
])  # fmt: skip
def test_freshness_is_relative_to_the_servers_clock(headers, expected):
    assert fresh_for(headers) == expected


@given(st.text(max_size=80))
def test_any_text_is_a_date_or_none(text):
    found = http_date(text)
    assert found is None or found.utcoffset() == timedelta(0)
