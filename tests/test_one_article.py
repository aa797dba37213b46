"""One article, however often, wherever and in whatever order it was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syndtrack.flow import Flow, ReadArticle
from syndtrack.models import Credit, Reading, Submission
from syndtrack.store.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = " ".join(f"The ferry number {n} left the harbour of Port Ansel with {n + 20} crates of pears on deck." for n in range(12))
WALL = "\n".join([
    "We use cookies and similar technologies on this site to improve your experience and to show you personalised advertising.",
    "By clicking Accept all you agree to the storing of cookies on your device as our cookie policy describes.",
    "You can change your cookie settings at any time or withdraw your consent in our privacy policy.",
    "We and our partners process data such as your IP address and cookies to measure how our content performs.",
])  # fmt: skip


def sighting(
    url: str, minute: int, *, title: str = "", canonical: str | None = None, stated: str | None = None, text: str = TEXT
) -> ReadArticle:
    credits = (Credit("republication", stated, name=stated, field="dc:source"),) if stated else ()
    submission = Submission(url=url, first_seen=NOON + timedelta(minutes=minute), text=text, publisher="Ansel Courier")
    return ReadArticle(submission, Reading(title, text, None, canonical=canonical), credits)


def stored(sightings: list[ReadArticle]) -> list[Any]:
    """What the database says of the articles, without ids."""
    store = Store(":memory:")
    flow = Flow(store)
    for each in sightings:
        with store.transaction():
            flow.record([each])
        flow.settle()
    return [
        store.db.conn.execute(query).fetchall()
        for query in (
            "SELECT a.url, a.title, a.first_seen, canonical, text FROM article a JOIN revision r ON r.id = a.revision_id ORDER BY a.url",
            "SELECT url, first_seen, redirects, canonical FROM address ORDER BY url",
            "SELECT title, first_seen, last_seen FROM revision ORDER BY text_hash",
            "SELECT kind, name, field FROM credit ORDER BY name",
        )
    ]


SIGHTINGS = st.lists(
    st.builds(
        sighting,
        st.sampled_from(["https://courier.example/ferry", "https://courier.example/ferry?utm_source=x", "https://courier.example/pears"]),
        st.integers(0, 3),
        title=st.sampled_from(["", "Ferry sails", "Ferry sails | Ansel Courier", "Pears at sea"]),
        canonical=st.sampled_from([None, "https://courier.example/ferry", "https://agency.example/ferry"]),
        stated=st.sampled_from([None, "Harbour Agency", "Coast Radio"]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(SIGHTINGS, st.randoms(use_true_random=False))
def test_what_is_stored_of_an_article_does_not_depend_on_the_order_of_its_sightings(sightings, random):
    shuffled = list(sightings)
    random.shuffle(shuffled)
    assert stored(shuffled) == stored(sightings)


def test_all_that_sightings_of_one_text_state_is_kept():
    _, _, _, credits = stored([sighting("https://courier.example/ferry", 0, stated=name) for name in ("Harbour Agency", "Coast Radio")])
    assert [name for _, name, _ in credits] == ["Coast Radio", "Harbour Agency"]


def test_a_wall_before_all_articles_of_a_site_does_not_make_them_one():
    articles, *_ = stored([sighting(f"https://courier.example/{n}", n, text=WALL) for n in range(3)])
    assert len(articles) == 3


def test_the_same_article_at_two_addresses_of_a_site_is_one():
    articles, *_ = stored([sighting(f"https://courier.example/{n}", n) for n in range(2)])
    assert [url for url, *_ in articles] == ["https://courier.example/0"]


def test_articles_that_become_one_by_a_merge_keep_what_either_states():
    store = Store(":memory:")
    flow = Flow(store)
    one = sighting("https://courier.example/ferry", 0, title="Ferry sails | Ansel Courier", stated="Harbour Agency")
    two = sighting("https://post.example/ferry", 1, title="Ferry sails", stated="Coast Radio")
    with store.transaction():
        flow.record([one, replace(two, submission=replace(two.submission, publisher="Ansel Post"))])
    flow.settle()
    with store.transaction():
        named = store.directory.named
        store.decisions.merge([named("Ansel Post")], named("Ansel Courier"), NOON)
    flow.settle()
    assert store.db.conn.execute("SELECT title FROM article").fetchall() == [("Ferry sails",)]
    assert store.db.conn.execute("SELECT name FROM credit ORDER BY name").fetchall() == [("Coast Radio",), ("Harbour Agency",)]
