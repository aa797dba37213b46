"""Addresses as they are asked for: what is plain already is sent as stated, and that is what taking it apart comes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.errors import FetchError
from syndtrack.polling.fetch import _SENT_AS_STATED, request_url, taken_apart

PIECES = st.text("ab1.-:/?#@%[]\\&=;+ \"<>'|~é%2f0659", max_size=12)


@given(st.sampled_from(["http", "https", "HTTP", "ftp"]), PIECES, PIECES, PIECES)
def test_a_plain_address_is_asked_for_as_any_other(scheme, host, path, query):
    url = f"{scheme}://{host or 'a.example'}/{path}?{query}"
    try:
        wanted: str | None = str(taken_apart(url, url))
    except FetchError:
        wanted = None
    try:
        assert str(request_url(url, url)) == wanted
    except FetchError:
        assert wanted is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.1.0.0:43210/feed/0",
        "https://news.example.org/a%20b/%7Ec;d=1,2?x=%2F&y=[1]|{2}&sig=a+b/c==",
        "http://a-b.example:64999/",
        "http://a/?",
        "http://a/b??c?d",
    ],
)
def test_a_plain_address_is_sent_as_it_is_stated(url):
    assert str(request_url(url, url)) == str(taken_apart(url, url))
    assert _SENT_AS_STATED.fullmatch(url) or url.endswith("?")


@pytest.mark.parametrize(
    "url", ["http://a:0/", "http://a:65536/", "http://a:99999/", "http://a\\b/", "http://a/b#c", "http://u@a/", "http://A/"]
)
def test_any_other_is_taken_apart(url):
    assert not _SENT_AS_STATED.fullmatch(url)
