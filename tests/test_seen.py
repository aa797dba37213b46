"""Which entries are which, and what of them is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polling_rig import NOON, long_text

from syndtrack.models import Entry
from syndtrack.polling.seen import MAX_ENTRIES, MAX_KEY, entry_hash, entry_key, entry_url, sort_entries
from syndtrack.urls import is_http

FEED = "https://reader:hush@a.example/feeds/all?key=hush"
WHOLE = Entry("https://a.example/1", "id-1", "Title", NOON, summary="Short.", content=long_text())


def sorted_of(*entries: Entry, known: dict[str, str] | None = None):
    return sort_entries(entries, known or {}, feed_id=3, feed_url=FEED, at=NOON)


@pytest.mark.parametrize(("link", "guid", "url"), [
    ("https://b.example/1", "id", "https://b.example/1"),
    ("/1?x=ä b", "id", "https://reader:hush@a.example/1?x=%C3%A4%20b"),
    ("//b.example/1#top", None, "https://b.example/1"),
    ("https://b.example/#!/story/1", None, "https://b.example/#!/story/1"),
    (None, "https://b.example/1", "https://b.example/1"),
    ("javascript:void(0)", "https://b.example/1", "https://b.example/1"),
    ("mailto:a@b.example", "id", None),
    (None, "tag:b.example,2026:1", None),
    (None, None, None),
    ("http://[", None, None),
    ("https://b.example/" + "x" * 3_000, None, None),
])  # fmt: skip
def test_an_entrys_address_is_its_link_or_an_id_that_is_one(link, guid, url):
    assert entry_url(Entry(link, guid, "T", None), FEED) == url


def test_an_entry_without_link_but_with_its_text_gets_an_address_of_its_own_without_secrets():
    url = entry_url(replace(WHOLE, url=None, guid="tag:a,2026:1 x"), FEED)
    assert url == "https://a.example/feeds/all?key=…#!tag%3Aa%2C2026%3A1%20x"


def test_entries_are_told_apart_by_id_else_by_address():
    assert entry_key(WHOLE, "https://a.example/1", frozenset()) == "id-1"
    assert entry_key(replace(WHOLE, guid=None), "https://a.example/1", frozenset()) == "https://a.example/1"


def test_entries_that_share_an_id_are_told_apart_by_both_in_any_order_and_the_same_one_twice_is_one():
    entries = [replace(WHOLE, url=f"https://a.example/{n}") for n in (1, 2, 2)]
    keys = [[entry.key for entry in sorted_of(*some).ready] for some in (entries, entries[::-1])]
    assert keys[0] == keys[1][::-1] == ["id-1 https://a.example/1", "id-1 https://a.example/2"]
    assert [entry.key for entry in sorted_of(WHOLE, WHOLE).ready] == ["id-1"]


def test_long_ids_stay_apart():
    one, two = (entry_key(replace(WHOLE, guid="x" * 2_000 + end), "u", frozenset()) for end in "ab")
    assert len(one) <= MAX_KEY
    assert one != two


@pytest.mark.parametrize("change", [{"title": "Other"}, {"content": "Other"}, {"summary": "Other"}, {"published": NOON + timedelta(1)}])
def test_a_change_of_what_the_entry_states_changes_its_hash(change):
    assert entry_hash(replace(WHOLE, **change), "u") != entry_hash(WHOLE, "u") == entry_hash(replace(WHOLE), "u")


def test_what_moves_from_one_field_to_the_next_changes_the_hash():
    assert entry_hash(Entry(None, None, "ab", None, summary="c"), "u") != entry_hash(Entry(None, None, "a", None, summary="bc"), "u")


def test_a_known_entry_is_seen_without_being_handed_in_again_and_a_changed_one_is():
    [first] = sorted_of(WHOLE).ready
    assert first.submission is not None
    assert (first.submission.title, first.submission.published, first.submission.feed_id) == ("Title", NOON, 3)
    known = {first.key: first.entry_hash}
    assert [entry.submission for entry in sorted_of(WHOLE, known=known).ready] == [None]
    [changed] = sorted_of(replace(WHOLE, title="Corrected"), known=known).ready
    assert changed.submission is not None


def test_an_entry_without_any_address_is_refused_by_its_title():
    result = sorted_of(Entry(None, None, "Ship runs aground", None), WHOLE)
    [refusal] = result.refused
    assert refusal.what == "Ship runs aground in https://a.example/feeds/all?key=…"
    assert len(result.ready) == 1


def test_of_very_many_entries_the_newest_are_read_and_the_rest_is_said():
    entries = [
        replace(WHOLE, url=f"https://a.example/{n}", guid=str(n), published=NOON - timedelta(minutes=n)) for n in range(MAX_ENTRIES + 100)
    ]
    result = sorted_of(*reversed(entries))
    assert {entry.key for entry in result.ready} == {str(n) for n in range(MAX_ENTRIES)}
    assert result.refused[0].reason == "has 600 entries, of which the newest 500 are read"


@given(st.text(max_size=60), st.text(max_size=60) | st.none())
def test_any_link_gives_an_address_that_can_be_fetched_or_none(link, guid):
    url = entry_url(Entry(link, guid, "T", None), FEED)
    assert url is None or is_http(url)
