"""Owners: what trust.txt files state and when it counts, and what printing each other's pages tells."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ingested, rows
from hypothesis import given
from hypothesis import strategies as st
from polling_rig import LOOPBACK, Clock
from scripted_server import Reply, ScriptedServer
from test_flow import UNRELATED, archive, article

from syndtrack.config import Settings
from syndtrack.flow import Flow
from syndtrack.models import PollResult
from syndtrack.owners import Reuse, Statement, are_sisters, houses, most_holders, named_sites, owners_by_trust, parse_trust, site_of
from syndtrack.tracker import Tracker

FILE = """# the harbour group
 Member = https://wire-association.example/
control=https://www.post.example/   # since 1998
control=post.example
controlledby=
unknown=thing
no statement at all
social=https://social.example/@post
"""


def files(**stated: str) -> dict[str, tuple[Statement, ...]]:
    """Files by site: `a="control=b"` is a.example's, which names b.example."""
    return {f"{site}.example": parse_trust("\n".join(f"{line}.example" for line in lines.split())) for site, lines in stated.items()}


def test_a_trust_txt_is_read_line_by_line_and_what_is_no_statement_is_passed_over():
    assert parse_trust(FILE) == (
        Statement("member", "https://wire-association.example/"),
        Statement("control", "https://www.post.example/"),
        Statement("control", "post.example"),
        Statement("social", "https://social.example/@post"),
    )
    assert named_sites(parse_trust(FILE), "control") == {"post.example"}


@given(st.text(max_size=300))
def test_no_text_is_too_strange_to_be_read(text: str):
    for statement in parse_trust(text):
        assert statement.value.strip() == statement.value != ""
        site_of(statement.value)


@pytest.mark.parametrize(
    ("value", "site"),
    [
        ("https://www.post.example/", "post.example"),
        ("Post.example", "post.example"),
        ("http://127.0.0.3:8000/", "127.0.0.3:8000"),
        ("https://platform.example/post", None),
        ("https://platform.example/?site=post", None),
        ("mailto:editor@post.example", None),
        ("not an address", None),
        ("http://[broken", None),
    ],
)
def test_a_statement_names_a_site_but_never_a_page_on_a_platform(value: str, site: str | None):
    assert site_of(value) == site


@pytest.mark.parametrize(
    ("stated", "owners"),
    [
        ({"a": "control=b", "b": "controlledby=a"}, {"a": "a", "b": "a"}),
        ({"a": "control=b control=c", "b": "controlledby=a", "c": "controlledby=a"}, {"a": "a", "b": "a", "c": "a"}),
        ({"a": "control=b", "b": "controlledby=a control=c", "c": "controlledby=b"}, {"a": "a", "b": "a", "c": "a"}),
        ({"a": "control=b"}, {}),
        ({"b": "controlledby=a"}, {}),
        ({"a": "control=b", "b": "member=a"}, {}),
        ({"a": "member=b", "b": "belongto=a"}, {}),
        ({"a": "control=b", "b": "controlledby=a controlledby=c", "c": "control=b"}, {}),
        ({"a": "control=b controlledby=b", "b": "control=a controlledby=a"}, {}),
        ({"a": "control=a controlledby=a"}, {}),
    ],
    ids=["both sides", "two owned", "two levels", "owner alone", "owned alone", "member", "association", "two owners", "ring", "itself"],
)
def test_who_owns_whom_is_decided_by_what_both_sides_state(stated: dict[str, str], owners: dict[str, str]):
    assert {site: owned.owner for site, owned in owners_by_trust(files(**stated)).items()} == {
        f"{site}.example": f"{owner}.example" for site, owner in owners.items()
    }
    turned = dict(reversed(list(files(**stated).items())))
    assert owners_by_trust(turned) == owners_by_trust(files(**stated))


PLAIN = (("Content-Type", "text/plain; charset=utf-8"),)


async def test_sites_are_asked_for_their_trust_txt_and_what_both_state_marks_their_pairs(tmp_path: Path):
    clock = Clock()
    async with AsyncExitStack() as stack:
        group, paper, other = [await stack.enter_async_context(ScriptedServer(host=f"127.0.0.{n}")) for n in (2, 3, 4)]
        group.pages["/trust.txt"] = Reply(f"control={paper.url()}\ncontrol={other.url()}\n".encode(), headers=PLAIN)
        paper.pages["/.well-known/trust.txt"] = Reply(f"controlledby={group.url()}\n".encode(), headers=PLAIN)
        other.pages["/trust.txt"] = Reply(b"<p>Page not found", headers=(("Content-Type", "text/html"),))
        body = UNRELATED["text"].split("\n\n")
        articles = [article(s.url("/1"), body, n, publisher=f"Paper {n}") for n, s in enumerate((group, paper, other))]

        def fetch() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
            with Tracker(Settings(db=tmp_path / "x.db", allow_networks=LOOPBACK), clock.now) as tracker:
                tracker.add([s.url("/feed") for s in (group, paper, other)])
                tracker.ingest([archive(tmp_path, articles)])
                told = tracker.publishers.fetch_owners()
                assert tracker.publishers.fetch_owners() == []
                marked = [(m["a"], m["b"]) for m in tracker.report("matches") if m["same_owner"]]
                assert marked == [(group.url("/1"), paper.url("/1"))]
                return told, list(tracker.publishers.owners())

        told, known = await asyncio.to_thread(fetch)
        assert [(t["outcome"], t["statements"]) for t in told] == [("found", 2), ("found", 1), ("absent", 0)]
        assert [(k["name"], k["owner"], k["known_from"], k["holds"]) for k in known if k["known_from"] == "trust.txt"] == [
            ("Paper 0", "Paper 0", "trust.txt", True),
            ("Paper 1", "Paper 0", "trust.txt", True),
        ]
        assert paper.paths() == ["/robots.txt", "/trust.txt", "/.well-known/trust.txt"]

        def sold() -> list[dict[str, object]]:
            clock.pass_time(weeks=5)
            paper.pages["/.well-known/trust.txt"] = Reply(b"", headers=PLAIN)
            with Tracker(Settings(db=tmp_path / "x.db", allow_networks=LOOPBACK), clock.now) as tracker:
                tracker.publishers.fetch_owners(["Paper 1"])
                return [k for k in tracker.publishers.owners() if k["known_from"] == "trust.txt"]

        assert await asyncio.to_thread(sold) == []


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ({"/robots.txt": Reply(b"User-agent: *\nDisallow: /")}, "robots.txt does not allow"),
        ({"/trust.txt": Reply(b"control=x.example\n" * 20_000, headers=PLAIN)}, "larger"),
        ({"/trust.txt": Reply(b"", status="500 Internal Server Error")}, "500"),
        ({"/trust.txt": Reply(b"", status="302 Found", headers=(("Location", "http://127.0.0.9/trust.txt"),))}, "not its own word"),
    ],
    ids=["robots", "size", "server error", "led elsewhere"],
)
async def test_a_site_that_cannot_be_asked_is_told_with_the_reason_and_decides_nothing(
    tmp_path: Path, pages: dict[str, Reply], reason: str
):
    clock = Clock()
    async with ScriptedServer(dict(pages)) as server:

        def fetch() -> list[dict[str, object]]:
            with Tracker(Settings(db=tmp_path / "x.db", allow_networks=LOOPBACK), clock.now) as tracker:
                tracker.add([server.url("/feed")])
                tracker.ingest([archive(tmp_path, [article(server.url("/1"), ["Words of no matter."], 0, publisher="Paper")])])
                return tracker.publishers.fetch_owners()

        (told,) = await asyncio.to_thread(fetch)
    assert told["outcome"] == "failed"
    assert reason in str(told["reason"])


async def test_a_place_in_a_network_of_ones_own_is_not_asked_because_a_stranger_names_it(tmp_path: Path):
    async with ScriptedServer() as server:

        def fetch() -> list[dict[str, object]]:
            with Tracker(Settings(db=tmp_path / "x.db", allow_networks=LOOPBACK)) as tracker:
                tracker.ingest([archive(tmp_path, [article(server.url("/1"), ["Words of no matter."], 0, publisher="Paper")])])
                return tracker.publishers.fetch_owners()

        (told,) = await asyncio.to_thread(fetch)
        assert server.asked == []
    assert told["outcome"] == "failed"


# -- behaviour


@pytest.mark.parametrize(
    ("there", "back", "printed", "lines", "sisters"),
    [
        (Reuse(3, 0), Reuse(2, 0), (20, 30), 0, True),
        (Reuse(2, 0), Reuse(1, 0), (20, 30), 0, False),
        (Reuse(2, 0), Reuse(1, 0), (20, 30), 2, True),
        (Reuse(30, 0), Reuse(2, 0), (60, 60), 0, False),
        (Reuse(3, 0), Reuse(2, 0), (900, 4_000), 0, False),
        (Reuse(3, 3), Reuse(2, 1), (20, 30), 0, False),
        (Reuse(5, 0), Reuse(0, 0), (20, 30), 9, False),
    ],
    ids=["both ways", "seldom", "seldom with the same boxes", "a reposter", "large papers", "partners under licence", "one way"],
)
def test_sisters_print_each_others_pages_often_both_ways_and_without_credit(
    there: Reuse, back: Reuse, printed: tuple[int, int], lines: int, sisters: bool
):
    assert are_sisters(there, back, printed, lines) == sisters
    assert are_sisters(back, there, printed[::-1], lines) == sisters


def test_a_line_that_many_have_tells_nothing():
    assert [most_holders(n) for n in (0, 2, 30, 80, 300, 1_000)] == [2, 2, 3, 8, 8, 20]


def test_sisters_of_sisters_are_of_one_house_unless_they_are_known_to_have_different_owners():
    assert houses([(1, 2), (3, 2), (7, 9)], {}) == [(None, (1, 2, 3)), (None, (7, 9))]
    assert houses([(3, 2), (1, 2), (7, 9)], {9: "Harbour Group"}) == [(None, (1, 2, 3)), ("Harbour Group", (7, 9))]
    assert houses([(1, 2), (2, 3)], {1: "Harbour Group", 3: "Hill Group"}) == []
    assert houses([(1, 2)], {1: None}) == []


def exchange(sites: tuple[str, str], count: int) -> list[dict[str, str]]:
    """Articles that go from one site to the other and back, in turn, untouched; each site says nothing of the other."""
    articles = []
    for n in range(2 * count):
        words = [f"{noun} number {n} of the {place}" for noun in ("pier", "gate", "crane") for place in ("north", "south", "inner basin")]
        body = [f"The council looked at {w} on day {n + 3} and put off what to do about it until after season {n * 7}." for w in words]
        first, second = sites if n % 2 else sites[::-1]
        articles.append(article(f"https://{first}/{n}", body, 600 * n))
        articles.append(article(f"https://{second}/{n}", body, 600 * n + 200))
    return articles


def test_two_sites_that_print_each_other_are_marked_whatever_the_order_and_a_persons_word_holds_against_it(tmp_path: Path):
    articles = exchange(("north.example", "south.example"), 3)
    outcomes = set()
    for number, order in enumerate((articles, articles[::-1])):
        with ingested(tmp_path, order, f"{number}.db") as tracker:
            outcomes.add(json.dumps(list(tracker.report("matches"))) + json.dumps(list(tracker.publishers.owners())))
            assert all(m["same_owner"] for m in tracker.report("matches"))
            assert tracker.publishers.show("north.example")["owner_known_from"] == "behaviour"
            before = rows(tracker.store, "SELECT copy_id, source_id, confidence FROM edge ORDER BY 1, 2")
            tracker.publishers.set_owner("north.example", None)
            assert not any(m["same_owner"] for m in tracker.report("matches"))
            tracker.publishers.unset_owner("north.example")
            assert all(m["same_owner"] for m in tracker.report("matches"))
            assert rows(tracker.store, "SELECT copy_id, source_id, confidence FROM edge ORDER BY 1, 2") == before
    assert len(outcomes) == 1


def test_houses_are_learned_between_polls_now_and_then(tmp_path: Path):
    clock = [datetime(2026, 3, 1, tzinfo=UTC)]
    articles = exchange(("north.example", "south.example"), 3)
    with ingested(tmp_path, articles) as tracker:
        flow, store = Flow(tracker.store, lambda: clock[0]), tracker.store
        with store.transaction():
            store.owners._replace("behaviour", {})
            store.feeds.add("https://north.example/feed", None, clock[0])
            store.db.execute("INSERT OR IGNORE INTO stale VALUES ('houses')")
        [feed] = store.feeds.all()

        def marked_after_poll() -> bool:
            flow.record_poll(PollResult(feed, clock[0], "nothing new", 200, "why"), [], [])
            assert not flow.catch_up()
            return any(m["same_owner"] for m in tracker.report("matches"))

        assert not marked_after_poll()
        clock[0] += timedelta(hours=2)
        assert marked_after_poll()


def test_owners_are_looked_up_without_writing(tmp_path: Path):
    with ingested(tmp_path, exchange(("north.example", "south.example"), 3)) as tracker, tracker.store.transaction():
        tracker.store.db.execute("INSERT OR IGNORE INTO stale VALUES ('houses')")
    with Tracker(tracker.settings, read_only=True) as reader, reader.store.snapshot():
        assert {row["name"] for row in reader.publishers.owners(["north.example"])} == {"north.example"}
