"""What the store keeps between polls of separate runs: tries of pages, hints, where validators came from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from polling_rig import NOON, Clock, long_text, make_fetcher, rss, rss_entry
from scripted_server import Reply, ScriptedServer

from syndtrack.flow import Flow
from syndtrack.models import Feed, FeedHints, PollResult
from syndtrack.polling.poll import Poller
from syndtrack.polling.workers import Workers
from syndtrack.store.feeds import TRIES
from syndtrack.store.store import Store


def sighted(store: Store, *sightings: tuple[str, int | None, bool], key: str = "k") -> dict[str, str]:
    with store.transaction():
        store.feeds.add("https://a.example/feed", None, NOON)
        for entry_hash, article_id, refused in sightings:
            store.feeds.sight(1, [(key, entry_hash, article_id, refused)], NOON)
    return store.feeds.known_entries(1)


@pytest.mark.parametrize(("sightings", "known"), [
    ([("h", None, True)], ""), ([("h", None, True)] * (TRIES - 1), ""), ([("h", None, True)] * TRIES, "h"),
    ([("h", None, True)] * TRIES + [("h", None, False)], "h"), ([("h", None, True)] * TRIES + [("other", None, True)], ""),
    ([("h", None, False)], ""),
])  # fmt: skip
def test_an_entry_without_its_article_is_looked_at_again_until_it_was_tried_often_enough(sightings, known):
    assert sighted(Store(":memory:"), *sightings) == {"k": known}


@pytest.mark.parametrize("status", ["404 Not Found", "502 Bad Gateway"])
async def test_a_dead_page_is_asked_for_three_times_even_if_every_poll_is_a_program_of_its_own(status):
    clock, store = Clock(), Store(":memory:")
    flow = Flow(store)

    async def known(feed_id: int) -> dict[str, str]:
        return store.feeds.known_entries(feed_id)

    pages = {"/robots.txt": Reply(status="404 Not Found"), "/1": Reply(status=status)}
    async with ScriptedServer(pages) as server, Workers(1) as workers:
        with store.transaction():
            store.feeds.add(server.url("/feed"), None, NOON)
        for number in range(TRIES + 3):
            server.pages["/feed"] = Reply(
                rss(*(rss_entry(n, f"/{n}", long_text(n)) for n in range(2, number + 3)), rss_entry(1, "/1", "Teaser."))
            )
            async with Poller(workers, fetcher=make_fetcher(clock), now=clock.now) as poller:
                [feed] = store.feeds.all()
                flow.record_poll(await poller.poll_one(feed, known), [], [])
            clock.pass_time(days=2)
    assert server.paths().count("/1") == TRIES


def test_a_feeds_hints_and_the_origin_of_its_validators_are_kept():
    store = Store(":memory:")
    hints = FeedHints(ttl=60, skip_hours=frozenset({1, 2}), skip_days=frozenset({"Sunday"}), update_seconds=None)
    with store.transaction():
        store.feeds.add("https://a.example/feed", None, NOON)
        after = Feed(1, "https://a.example/feed", etag='"e"', validators_of="https://b.example/feed", hints=hints)
        store.feeds.record([(PollResult(after, NOON, "nothing new", 200, "why"), 0)])
    assert store.feeds.all() == [after]


async def test_hours_to_skip_hold_after_a_restart_where_nothing_was_modified():
    clock = Clock()
    skips = "<skipHours>" + "".join(f"<hour>{hour}</hour>" for hour in (12, 13, 14)) + "</skipHours>"
    replies = [Reply(rss(head=skips), headers=(("ETag", '"e"'),)), Reply(status="304 Not Modified", framed=False)]

    async def known(_feed_id: int) -> dict[str, str]:
        return {}

    async with ScriptedServer({"/feed": replies}) as server, Workers(1) as workers:
        feed = Feed(1, server.url("/feed"))
        for _ in range(2):
            async with Poller(workers, fetcher=make_fetcher(clock), now=clock.now) as poller:
                feed = (await poller.poll_one(feed, known)).feed
            assert feed.next_check is not None
            assert feed.next_check - NOON >= timedelta(hours=3)
