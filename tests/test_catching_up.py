"""What a poll leaves to be done for other articles than its own, and how that is caught up with."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from conftest import rows
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
