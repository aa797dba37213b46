"""What a poll leaves to be done for other articles than its own, and how that is caught up with."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from conftest import ingested, rows
from test_flow import AGENCY, AGGREGATOR, BLOG, UNRELATED
from test_habits import ARCHIVE, CREDITED, NAMING, SILENT, START, article, findings, take_in

from syndtrack import flow as flows
from syndtrack.config import Settings
from syndtrack.flow import Flow, ReadArticle, read_article
from syndtrack.models import PollResult, Submission
from syndtrack.store.store import Store
from syndtrack.tracker import Tracker

FURNITURE = "Mole End Blog prints every second evening behind the lower weir."
REPEATING = [
    a | {"text": f"{a['text']}\n\n{FURNITURE}"}
    for a in (*(a for a in ARCHIVE if a["publisher"] == "Mole End Blog"), *(article("Mole End Blog", n, 0) for n in range(20, 24)))
]


def submitted(article: dict[str, str]) -> Submission:
    """An article as a feed hands it in."""
    seen, published = (datetime.fromisoformat(article[name]) for name in ("first_seen", "published"))
    text, title, publisher = (article[name] for name in ("text", "title", "publisher"))
    return Submission(article["url"], seen, text=text, title=title, publisher=publisher, published=published)


def poll(flow: Flow, articles: Sequence[dict[str, str]]) -> None:
    """A feed brings some articles."""
    [feed] = flow.store.feeds.all()
    readings = [read_article(submitted(each)) for each in articles]
    flow.record_poll(PollResult(feed, START, "new", 200, "why"), [r for r in readings if isinstance(r, ReadArticle)], [])


@pytest.fixture
def flow(tmp_path: Path) -> Iterator[Flow]:
    """The steps on a store with one feed."""
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        tracker.add(["https://feeds.example/rss"])
    with closing(Store(tmp_path / "x.db")) as store:
        yield Flow(store, lambda: START)


def untraced(flow: Flow) -> list[str]:
    """The addresses of articles that are to be traced."""
    return [row[0] for row in rows(flow.store, "SELECT url FROM article WHERE traced = 0 ORDER BY url")]


def test_a_poll_traces_its_own_articles_and_leaves_what_a_habit_tells_of_older_ones(tmp_path: Path, flow: Flow):
    poll(flow, SILENT + NAMING)
    while flow.catch_up():
        pass
    poll(flow, CREDITED)
    assert untraced(flow) == []
    assert rows(flow.store, "SELECT max(step), max(changed) FROM habit") == [(0, 1)]
    before = rows(flow.store, "SELECT * FROM edge JOIN article a ON a.id = copy_id WHERE a.url LIKE '%moleendblog.example/7'")
    while flow.catch_up():
        pass
    assert rows(flow.store, "SELECT max(step), max(changed) FROM habit") == [(1, 0)]
    assert rows(flow.store, "SELECT * FROM edge JOIN article a ON a.id = copy_id WHERE a.url LIKE '%moleendblog.example/7'") != before


def test_of_a_publisher_with_many_articles_a_poll_does_not_look_through_all_texts(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flows, "BATCH", 3)
    poll(flow, REPEATING)
    assert rows(flow.store, "SELECT line FROM furniture") == []
    assert flow.store.lines.unlearned()
    while flow.catch_up():
        pass
    assert rows(flow.store, "SELECT line FROM furniture") == [(FURNITURE,)]
    assert rows(flow.store, "SELECT count(*) FROM removal WHERE rule = 'furniture'") == [(len(REPEATING),)]


def test_what_another_process_left_untraced_is_counted_though_a_poll_traces_it_with_its_own(
    tmp_path: Path, flow: Flow, monkeypatch: pytest.MonkeyPatch
):
    originals = [a for a in CREDITED if a["publisher"] == "Lunnet Wire"]
    copies = [a for a in CREDITED if a not in originals]
    with flow.store.transaction():
        flow.record([r for a in copies if isinstance(r := read_article(submitted(a)), ReadArticle)])
    monkeypatch.setattr(flows, "PORTION", len(copies))
    assert flow.catch_up()  # cleaned
    assert flow.catch_up()  # matched
    assert len(untraced(flow)) == len(copies)
    poll(flow, originals)
    while flow.catch_up():
        pass
    with Tracker(Settings(db=tmp_path / "x.db")) as polled, Tracker(Settings(db=tmp_path / "whole.db")) as whole:
        take_in(whole, tmp_path, CREDITED)
        assert findings(polled) == findings(whole)


STORY = [AGENCY, AGGREGATOR, BLOG]


def edges(flow: Flow) -> list[tuple[object, ...]]:
    """Who derives from whom, by the addresses."""
    return rows(flow.store, "SELECT c.url, s.url FROM edge e JOIN article c ON c.id = copy_id LEFT JOIN article s ON s.id = source_id")


def test_a_copy_that_joins_a_large_story_waits_for_its_edges_and_the_others_keep_theirs(
    tmp_path: Path, flow: Flow, monkeypatch: pytest.MonkeyPatch
):
    story = [a | {"published": a["first_seen"]} for a in STORY]
    monkeypatch.setattr(flows, "PORTION", 2)
    poll(flow, story[:2])
    before = edges(flow)
    assert before == [(AGGREGATOR["url"], AGENCY["url"])]
    poll(flow, [story[2], UNRELATED | {"published": UNRELATED["first_seen"]}])
    assert edges(flow) == before
    assert BLOG["url"] in untraced(flow)
    assert UNRELATED["url"] not in untraced(flow)
    while flow.catch_up():
        pass
    assert untraced(flow) == []
    assert (BLOG["url"], AGGREGATOR["url"]) in edges(flow)
    with (
        Tracker(Settings(db=tmp_path / "x.db")) as polled,
        ingested(tmp_path, [*story, UNRELATED | {"published": UNRELATED["first_seen"]}], "whole.db") as whole,
    ):
        assert findings(polled) == findings(whole)


def test_what_was_found_of_a_text_is_not_told_of_the_next_one_while_a_large_story_waits(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    story = [a | {"published": a["first_seen"]} for a in STORY]
    poll(flow, story)
    monkeypatch.setattr(flows, "PORTION", 2)
    paragraphs = story[1]["text"].split("\n\n")
    poll(flow, [story[1] | {"text": "\n\n".join(paragraphs[1:]), "first_seen": BLOG["first_seen"]}])
    assert {copy for copy, _ in edges(flow)} == {BLOG["url"]}
    while flow.catch_up():
        pass
    assert {copy for copy, _ in edges(flow)} == {AGGREGATOR["url"], BLOG["url"]}


def test_a_text_that_is_not_stored_is_traced_whatever_the_size_of_its_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flows, "PORTION", 1)
    with ingested(tmp_path, STORY[:2], "whole.db") as tracker:
        assert len(tracker.trace_text(BLOG["text"])["chain"]) > 1


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_polls_with_portions_in_between_end_in_what_one_archive_gives(
    tmp_path: Path, flow: Flow, monkeypatch: pytest.MonkeyPatch, seed: int
):
    monkeypatch.setattr(flows, "BATCH", 3)
    monkeypatch.setattr(flows, "PORTION", 2)
    archive = [a for a in ARCHIVE if a["publisher"] != "Mole End Blog"] + REPEATING
    chance = random.Random(seed)  # noqa: S311 - an order, no secret
    left = chance.sample(archive, len(archive))
    while left:
        some = [left.pop() for _ in range(min(len(left), chance.randint(1, 4)))]
        poll(flow, some)
        for _ in range(chance.randint(0, 3)):
            flow.catch_up()
    while flow.catch_up():
        pass
    with Tracker(Settings(db=tmp_path / "x.db")) as polled, Tracker(Settings(db=tmp_path / "whole.db")) as whole:
        take_in(whole, tmp_path, archive)
        assert findings(polled) == findings(whole)
        assert rows(whole.store, "SELECT line FROM furniture") == rows(polled.store, "SELECT line FROM furniture") == [(FURNITURE,)]


def test_furniture_of_several_publishers_is_learned_one_at_a_time(flow: Flow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flows, "BATCH", 3)
    pilots = [article("Pilot Digest", n, 0) for n in range(40, 50)]
    poll(flow, REPEATING + [a | {"text": f"{a['text']}\n\n{FURNITURE}"} for a in pilots])
    assert len(flow.store.lines.unlearned()) == 2
    assert flow.catch_up()
    assert len(flow.store.lines.unlearned()) == 1


def test_where_nothing_is_left_to_be_done_nobody_is_kept_from_writing(tmp_path: Path, flow: Flow):
    poll(flow, SILENT)
    while flow.catch_up():
        pass
    with closing(Store(tmp_path / "x.db")) as other, other.transaction():
        assert not flow.catch_up()
