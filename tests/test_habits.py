"""What a publisher's articles tell of it, whatever the order in which they came."""

import json
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.config import Settings
from syndtrack.provenance.habits import CLAIM_KINDS, claim_kind, dates_of, habit_step, is_polled
from syndtrack.tracker import Tracker

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WORDS = """basin gate harbour council crew ferry steel winter pump master crown town province herring season fee member landing bakery oven
flour harvest prize ridge tunnel rail orchard frost mill brook lantern clock tower market barley copper glass signal bridge toll quarry"""


def text(number: int) -> list[str]:
    """Paragraphs that no other number shares."""
    chance = random.Random(number)  # noqa: S311 - made-up words, no secret
    return [" ".join(chance.choices(WORDS.split(), k=30)).capitalize() + f" {number}." for _ in range(5)]


def article(name: str, number: int, minutes: int, *, credit: str = "", late: int = 5, cut: int = 0) -> dict[str, str]:
    """An article of one publisher with the text of a number, claimed `late` minutes before it was seen."""
    seen = START + timedelta(days=number, minutes=minutes)
    paragraphs = text(number)[: 5 - cut] + ([f"Via {credit}"] if credit else [])
    return {
        "url": f"https://{name.lower().replace(' ', '')}.example/{number}", "text": "\n\n".join(paragraphs), "title": f"Report {number}",
        "publisher": name, "first_seen": seen.isoformat(), "published": (seen - timedelta(minutes=late)).isoformat(),
    }  # fmt: skip


CREDITED = [
    a
    for n in range(5)
    for a in (
        article("Lunnet Wire", n, 0),
        article("Mole End Blog", n, 400, credit="Lunnet Wire", late=300),
        article("Pilot Digest", n, 70),
    )
]
SILENT = [article("Lunnet Wire", 7, 0), article("Mole End Blog", 7, 400, cut=1, late=300)]
NAMING = [article("Upper Town Paper", 8, 60, credit="Lunnet Wire"), article("Pilot Digest", 8, 20)]
ARCHIVE = [*CREDITED, *SILENT, *NAMING]


def take_in(tracker: Tracker, folder: Path, articles: list[dict[str, str]]) -> None:
    path = folder / "part.jsonl"
    path.write_text("".join(json.dumps(a) + "\n" for a in articles), encoding="utf-8")
    tracker.ingest([str(path)])


def findings(tracker: Tracker) -> list[object]:
    """Edges and everything that was counted, by names."""
    told = tracker.store.db.query(
        "SELECT p.name, q.name AS named, h.articles, h.step FROM habit h JOIN publisher p ON p.id = h.publisher_id "
        "JOIN publisher q ON q.id = h.named_id ORDER BY 1, 2"
    )
    dates = tracker.store.db.query(
        "SELECT p.name, prompt, late, off, undated, dates, polled FROM dating d JOIN publisher p ON p.id = d.publisher_id ORDER BY 1"
    )
    return [json.dumps(row, sort_keys=True) for row in tracker.report("edges")] + list(told) + list(dates)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    folder = tmp_path_factory.mktemp("whole")
    with Tracker(Settings(db=folder / "x.db")) as tracker:
        take_in(tracker, folder, ARCHIVE)
        return findings(tracker)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_order_one_by_one_ends_in_the_same_edges_and_counts(tmp_path: Path, expected: list[object], seed: int):
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        for each in random.Random(seed).sample(ARCHIVE, len(ARCHIVE)):  # noqa: S311 - an order, no secret
            take_in(tracker, tmp_path, [each])
        assert findings(tracker) == expected


def test_what_came_first_is_traced_again_when_a_habit_shows_later(tmp_path: Path, expected: list[object]):
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        take_in(tracker, tmp_path, SILENT + NAMING)
        before = findings(tracker)
        take_in(tracker, tmp_path, CREDITED)
        assert findings(tracker) == expected
        silent = [row for row in expected if "moleendblog.example/7" in str(row)]
        assert silent
        assert not set(map(str, silent)) & set(map(str, before))


def test_forgetting_and_adding_again_counts_down_and_up(tmp_path: Path, expected: list[object]):
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        take_in(tracker, tmp_path, ARCHIVE)
        gone = [a["url"] for a in CREDITED if "blog" in a["url"] or a["url"].endswith("/2")]
        tracker.forget(gone)
        left = [a for a in ARCHIVE if a["url"] not in gone]
        with Tracker(Settings(db=tmp_path / "left.db")) as never:
            take_in(never, tmp_path, left)
            assert [f for f in findings(tracker) if _tells(f)] == [f for f in findings(never) if _tells(f)]
        take_in(tracker, tmp_path, ARCHIVE)
        assert findings(tracker) == expected


def _tells(row: object) -> bool:
    """A publisher of which nothing is left is counted with zeros, one that never came is not."""
    return isinstance(row, str) or any(row.get(k) for k in ("articles", *CLAIM_KINDS))  # type: ignore[attr-defined] # a row of a query


def test_a_habit_is_said_in_the_evidence_of_a_copy_that_names_nobody(expected: list[object]):
    silent = [json.loads(row) for row in expected if isinstance(row, str) and "moleendblog.example/7" in row]
    quoted = [e["text"] for row in silent for e in row["evidence"] if row["copy"].startswith("https://moleend")]
    assert any("names Lunnet Wire as its source in 4 or more of its articles" in t for t in quoted), quoted


def test_merging_publishers_counts_as_if_they_had_always_been_one(tmp_path: Path):
    alias = [article("Mole Weekly", 9, 30, credit="Lunnet Wire"), article("Lunnet Wire", 9, 0)]
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        take_in(tracker, tmp_path, ARCHIVE + alias)
        tracker.publishers.merge(["Mole Weekly"], "Mole End Blog")
        row = next(
            iter(
                tracker.store.db.query(
                    "SELECT sum(articles) AS n FROM habit h JOIN publisher p ON p.id = publisher_id WHERE p.name = 'Mole End Blog'"
                )
            )
        )
        assert row["n"] == 6


@given(st.integers(0, 10_000))
def test_firmer_habits_need_more_articles(articles: int):
    assert habit_step(articles) <= habit_step(articles + 1) <= 2


@given(st.lists(st.sampled_from(CLAIM_KINDS), max_size=400))
def test_what_dates_are_like_changes_a_few_times_at_most_while_articles_come(kinds: list[str]):
    counts = dict.fromkeys(CLAIM_KINDS, 0)
    seen = [("", False)]
    for kind in kinds:
        counts[kind] += 1  # type: ignore[index] # one of the kinds
        seen.append((dates_of(counts), is_polled(counts)))  # type: ignore[arg-type] # one of the kinds
    changes = sum(a != b for a, b in pairwise(seen))
    assert changes <= 2 * 3 * (len(kinds).bit_length() + 1)


@pytest.mark.parametrize(
    ("counts", "dates"),
    [
        pytest.param({"prompt": 3}, "", id="too few"),
        pytest.param({"prompt": 20, "late": 2}, "prompt", id="prompt"),
        pytest.param({"prompt": 10, "late": 10}, "slow", id="seen late as often as not"),
        pytest.param({"prompt": 10, "off": 8}, "off", id="many cannot be right"),
        pytest.param({"undated": 50, "prompt": 2}, "", id="hardly ever dated"),
    ],
)
def test_what_dates_of_a_publisher_are_like(counts: dict[str, int], dates: str):
    assert dates_of(counts) == dates  # type: ignore[arg-type] # kinds of claims


@pytest.mark.parametrize(
    ("minutes", "kind"),
    [(10, "prompt"), (-4, "prompt"), (-60, "off"), (300, "late"), (24 * 60, "off")],
    ids=["soon", "a clock's error", "from the future", "five hours late", "a day before"],
)
def test_what_observation_says_of_a_claim(minutes: int, kind: str):
    assert claim_kind(START - timedelta(minutes=minutes), START) == kind
    assert claim_kind(None, START) == "undated"
