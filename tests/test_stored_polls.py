"""Polls as the store keeps them: together or one by one, with addresses that moved, and no more than are worth keeping."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from polling_rig import NOON

from syndtrack.models import Feed, FeedHints, PollResult
from syndtrack.store.feeds import POLLS_KEPT
from syndtrack.store.store import Store

FEEDS = 4
moments = st.none() | st.integers(0, 10**6).map(lambda ms: NOON + timedelta(milliseconds=ms))
texts = st.none() | st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=8)
outcomes = st.tuples(texts, texts, texts, st.none() | st.integers(300, 90_000), moments, moments, st.integers(0, 9))


def with_feeds() -> Store:
    store = Store(":memory:")
    with store.transaction():
        for number in range(FEEDS):
            store.feeds.add(address(number), None, NOON)
    return store


def address(number: int) -> str:
    return f"https://{number}.example/feed"


def polled(feed: Feed) -> PollResult:
    return PollResult(feed, NOON, "not modified", 304, "nothing was new")


def kept(store: Store) -> list[object]:
    return [store.feeds.all(), *(store.feeds.history(number + 1) for number in range(FEEDS))]


@given(st.lists(outcomes, min_size=FEEDS, max_size=FEEDS), st.permutations(range(FEEDS)))
def test_polls_stored_together_are_kept_as_those_stored_one_by_one_in_any_order(each, order):
    results = [
        polled(Feed(n + 1, address(n), title, None, etag, modified, interval=interval, next_check=check, last_polled=at, failures=failures))
        for n, (title, etag, modified, interval, check, at, failures) in enumerate(each)
    ]
    together, alone = with_feeds(), with_feeds()
    with together.transaction():
        together.feeds.record([(result, 0) for result in results])
    for place in order:
        with alone.transaction():
            alone.feeds.record([(results[place], 0)])
    assert kept(together) == kept(alone)


def test_of_feeds_that_move_together_to_one_address_the_first_gets_it():
    store = with_feeds()
    with store.transaction():
        store.feeds.record([(polled(Feed(n, "https://new.example/feed", etag=f'"{n}"')), 0) for n in (1, 2)])
    first, second, *_ = store.feeds.all()
    assert (first.url, second.url) == ("https://new.example/feed", address(1))
    assert (first.etag, second.etag) == ('"1"', '"2"')


def test_an_address_that_another_feed_has_is_not_taken_over_and_the_rest_is_stored():
    store = with_feeds()
    with store.transaction():
        store.feeds.record([(polled(Feed(1, address(2), failures=3)), 0)])
    assert [f.url for f in store.feeds.all()] == [address(n) for n in range(FEEDS)]
    assert store.feeds.all()[0].failures == 3


def test_times_before_which_nobody_may_be_asked_are_rounded_up():
    store = with_feeds()
    half = NOON + timedelta(milliseconds=500)
    with store.transaction():
        store.feeds.record([(polled(Feed(1, address(0), next_check=half, asked_to_wait_until=half, last_polled=half)), 0)])
    feed = store.feeds.all()[0]
    assert (feed.next_check, feed.asked_to_wait_until, feed.last_polled) == (NOON + timedelta(seconds=1), NOON + timedelta(seconds=1), NOON)


def test_the_latest_polls_of_each_feed_are_kept_and_no_more():
    store = with_feeds()
    for round_ in range(POLLS_KEPT + 3):
        with store.transaction():
            store.feeds.record([(replace(polled(Feed(n, address(n - 1))), why=str(round_)), 0) for n in (1, 2)])
    for feed_id in (1, 2):
        assert [p["why"] for p in store.feeds.history(feed_id)[0]] == [str(n) for n in reversed(range(3, POLLS_KEPT + 3))]


def test_more_polls_than_one_statement_takes_are_all_stored():
    store = Store(":memory:")
    with store.transaction():
        for number in range(1_201):
            store.feeds.add(address(number), None, NOON)
        hints = FeedHints(ttl=5)
        store.feeds.record([(polled(Feed(n + 1, address(n), etag=f'"{n}"', hints=hints)), 0) for n in range(1_201)])
    assert [(f.etag, f.hints) for f in store.feeds.all()] == [(f'"{n}"', hints) for n in range(1_201)]
