"""A person's word on a real store: kept by address, applied whenever a story is traced, taken back, carried over."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, permutations
from os import mkfifo
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner
from conftest import ingested
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_flow import AGENCY, AGGREGATOR, BLOG, REPORT, UNRELATED, archive, article, findings

from syndtrack.cli import main
from syndtrack.config import Settings
from syndtrack.tracker import Tracker

EVERYONE = [AGENCY, AGGREGATOR, BLOG, UNRELATED]
A, D, B, U = (each["url"] for each in EVERYONE)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def ticking():
    minutes = count()
    return lambda: NOON + timedelta(minutes=next(minutes))


@pytest.fixture
def tracker(tmp_path: Path):
    with ingested(tmp_path, EVERYONE) as opened:
        yield opened


def say(tracker: Tracker, copy: str, source: str | None, says: str, **more: str) -> list[str]:
    return [r.reason for r in tracker.judge([{"copy": copy, "source": source, "says": says, **more}])]


def sources(tracker: Tracker, copy: str) -> list[tuple[str | None, str | None, str | None]]:
    return [(e["source"], e["source_publisher"], e["verdict"]) for e in tracker.report("edges") if e["copy"] == copy]


def standings(tracker: Tracker) -> list[tuple[str, str | None]]:
    return [(v["standing"], v["why"]) for v in tracker.verdicts()]


def test_a_rejected_pair_is_no_edge_and_the_next_best_source_takes_its_place(tracker: Tracker):
    assert say(tracker, B, D, "reject") == []
    assert sources(tracker, B) == [(A, "Lunnet Wire", None)]


def test_a_confirmed_pair_is_an_edge_of_full_confidence_with_its_evidence(tracker: Tracker):
    assert say(tracker, B, A, "confirm", by="Ada") == []
    (edge,) = [e for e in tracker.report("edges") if e["copy"] == B]
    assert (edge["source"], edge["confidence"], edge["verdict"]) == (A, 1.0, "confirmed")
    assert "overlap" in {e["kind"] for e in edge["evidence"]}
    assert tracker.trace(B)["chain"][1]["url"] == A


def test_articles_that_share_no_text_can_be_confirmed_and_make_one_story(tracker: Tracker):
    say(tracker, U, A, "confirm")
    assert sources(tracker, U) == [(A, "Lunnet Wire", "confirmed")]
    assert [s["articles"] for s in tracker.report("stories")] == [4]
    tracker.take_back(U, A)
    assert [s["articles"] for s in tracker.report("stories")] == [3]
    assert sources(tracker, U) == []


def test_an_origin_has_no_source(tracker: Tracker):
    say(tracker, D, None, "origin")
    assert sources(tracker, D) == []
    assert tracker.trace(B)["origin"]["url"] == D


def test_a_source_that_was_not_observed_is_named(tracker: Tracker):
    say(tracker, U, "Rye Bread Agency", "confirm")
    say(tracker, D, "https://elsewhere.example/x", "confirm")
    assert sources(tracker, U) == [(None, "Rye Bread Agency", "confirmed")]
    assert sources(tracker, D) == [(None, "elsewhere.example", "confirmed")]


def test_any_form_of_an_address_will_do(tracker: Tracker):
    say(tracker, B.replace("https", "http") + "?utm_source=x", D + "#top", "reject")
    assert sources(tracker, B) == [(A, "Lunnet Wire", None)]
    assert tracker.take_back(B + "/amp", D + "?utm_medium=y") == 1
    assert tracker.verdicts() == []


def test_what_is_taken_back_leaves_no_trace_in_the_findings(tracker: Tracker):
    before = findings(tracker)
    for copy, source, says in ((B, D, "reject"), (U, A, "confirm"), (D, None, "origin"), (A, "AFP", "confirm")):
        say(tracker, copy, source, says)
        assert findings(tracker) != before
        assert tracker.take_back(copy, source) == 1
        assert findings(tracker) == before


def test_of_contradicting_verdicts_the_later_one_wins_and_the_earlier_is_told_overruled(tmp_path: Path):
    with Tracker(Settings(db=tmp_path / "x.db"), ticking()) as tracker:
        tracker.ingest([archive(tmp_path, EVERYONE)])
        say(tracker, B, D, "reject")
        say(tracker, B, D, "confirm")
        assert sources(tracker, B) == [(D, "The Pilot Digest", "confirmed")]
        assert standings(tracker) == [("overruled", "a later verdict says otherwise"), ("in force", None)]
        say(tracker, B, D, "reject")  # again, and so later than the other
        assert sources(tracker, B) == [(A, "Lunnet Wire", None)]
        assert [v["says"] for v in tracker.verdicts()] == ["confirm", "reject"]


def test_two_articles_that_are_each_said_to_come_from_the_others_publisher_can_still_be_traced(tracker: Tracker):
    names = {each: tracker.trace(each)["article"]["publisher"] for each in (D, B)}
    assert say(tracker, D, names[B], "confirm") == say(tracker, B, names[D], "confirm") == []
    assert {publisher for each in (D, B) for _, publisher, verdict in sources(tracker, each) if verdict} == set(names.values())


def test_a_name_that_only_a_batch_with_a_refused_verdict_knows_is_known_afterwards(tracker: Tracker, tmp_path: Path):
    assert say(tracker, B, D, "confirm") == []
    circle = {"copy": D, "source": B, "says": "confirm"}
    refused = tracker.judge([circle, {"copy": U, "source": "The Unheard Herald", "says": "confirm"}])
    assert [r.what for r in refused] == [f"{D} {B}"]
    assert sources(tracker, U) == [(None, "The Unheard Herald", "confirmed")]
    assert say(tracker, D, "The Unheard Herald", "reject") == []


def test_a_confirmed_pair_that_would_close_a_circle_is_refused_with_its_reason(tracker: Tracker):
    say(tracker, A, B, "confirm")
    say(tracker, B, D, "confirm")
    (reason,) = say(tracker, D, A, "confirm")
    assert "close a circle" in reason
    assert "no copy of itself" in say(tracker, A, A + "?print=1", "confirm")[0]
    assert len(tracker.verdicts()) == 2
    assert sources(tracker, D) == []


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param("confirm", "is an object", id="no object"),
        pytest.param({"copy": "blog", "source": A, "says": "confirm"}, "named by its http", id="no address"),
        pytest.param({"copy": B, "source": "ftp://x/y", "says": "confirm"}, "or the name of a publisher", id="another scheme"),
        pytest.param({"copy": B, "source": "", "says": "reject"}, "or the name of a publisher", id="no source"),
        pytest.param({"copy": B, "source": A, "says": "origin"}, "an origin has no source", id="origin with a source"),
        pytest.param({"copy": B, "source": A, "says": "perhaps"}, "confirm, reject or origin", id="another word"),
        pytest.param({"copy": B, "source": A, "says": "reject", "note": "x" * 2_001}, "note is not a text", id="long note"),
        pytest.param({"copy": B, "source": "\ud800", "says": "reject"}, "source is not a text", id="half a character"),
        pytest.param({"copy": B, "source": A, "says": "reject", "at": "yesterday"}, "is no time", id="no time"),
        pytest.param({"copy": B, "source": A, "says": "reject", "at": "2026-01-01T00:00:00"}, "is no time", id="no zone"),
        pytest.param({"copy": B, "source": A, "says": "reject", "at": "9999-01-01T00:00:00Z"}, "in the future", id="future"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_reason(tracker: Tracker, record: object, reason: str):
    (refused,) = tracker.judge([record])  # type: ignore[list-item] # what a careless caller hands in
    assert reason in refused.reason
    assert tracker.verdicts() == []


def test_verdicts_survive_their_articles_and_wait_for_them(tracker: Tracker, tmp_path: Path):
    say(tracker, B, A, "confirm")
    before = findings(tracker)
    tracker.forget([B, A])
    assert standings(tracker) == [("waiting", "the copy is not stored")]
    tracker.ingest([archive(tmp_path, [BLOG], "again.jsonl")])
    assert sources(tracker, B) == [(None, "Lunnet Wire", "confirmed")]
    tracker.ingest([archive(tmp_path, [AGENCY], "more.jsonl")])
    assert findings(tracker) == before


VERDICTS = [
    {"copy": B, "source": A, "says": "confirm", "at": "2026-03-02T20:00:00Z"},
    {"copy": U, "source": "The Pilot Digest", "says": "confirm", "at": "2026-03-02T20:01:00Z"},
    {"copy": D, "source": None, "says": "origin", "at": "2026-03-02T20:02:00Z"},
]
STEPS = [("article", each) for each in EVERYONE] + [("verdict", each) for each in VERDICTS]


def settled(folder: Path, steps: Sequence[tuple[str, dict[str, str]]]) -> tuple[list[str], list[tuple[str, str | None]]]:
    with Tracker(Settings(db=folder / "x.db"), lambda: NOON) as tracker:
        for number, (kind, each) in enumerate(steps):
            if kind == "article":
                tracker.ingest([archive(folder, [each], f"{number}.jsonl")])
            else:
                assert tracker.judge([each]) == []
        return findings(tracker), standings(tracker)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(STEPS))
def test_whichever_comes_first_verdict_or_articles_the_outcome_is_the_same(tmp_path_factory: pytest.TempPathFactory, order):
    assert settled(tmp_path_factory.mktemp("law"), order) == settled(tmp_path_factory.mktemp("law"), STEPS)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_an_address_by_which_an_article_is_known_only_later_is_heard_of(tmp_path: Path, order: tuple[int, ...]):
    other = article("https://wire.example/other", REPORT, 5, publisher="Lunnet Wire")  # the same text: one article
    say_it = ("verdict", {"copy": U, "source": other["url"], "says": "confirm"})
    steps = [("article", AGENCY), ("article", other), say_it]
    found, _ = settled(tmp_path, [("article", UNRELATED), *(steps[n] for n in order)])
    assert any(f'"source": "{A}"' in row and '"verdict": "confirmed"' in row for row in found)


def test_a_verdict_traces_again_exactly_the_stories_it_touches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    far = [article(f"https://p{n}.example/{n}", [f"{line} {n} times told, as chronicle {n} of the port has it." for line in REPORT[n:]], n)
           for n in range(3)]  # fmt: skip
    with ingested(tmp_path, [*EVERYONE, *far]) as tracker:
        traced: list[int] = []
        save = type(tracker.store.edges).save
        monkeypatch.setattr(type(tracker.store.edges), "save", lambda self, ids, *rest: (traced.extend(ids), save(self, ids, *rest))[1])

        def count_of(act) -> int:
            traced.clear()
            act()
            return len(traced)

        story = len(tracker.store.matches.component(tracker.store.lookups.article_id(B)))
        assert count_of(lambda: say(tracker, U, None, "origin")) == 1
        assert count_of(lambda: say(tracker, B, D, "reject")) == story
        assert count_of(lambda: say(tracker, U, "Somebody", "reject")) == 1
        assert count_of(lambda: say(tracker, U, B, "reject")) == 1  # what is rejected joins nothing
        assert count_of(lambda: tracker.take_back(U, None)) == 1
        assert count_of(lambda: say(tracker, U, A, "confirm")) == story + 1
        assert count_of(lambda: tracker.take_back(U, A)) == story + 1
        assert count_of(lambda: say(tracker, "https://unknown.example/x", A, "confirm")) == 0
        assert count_of(lambda: tracker.take_back(U, "nobody said this")) == 0


def test_merged_publishers_take_their_verdicts_along(tracker: Tracker):
    say(tracker, U, "Harbour Press", "confirm")
    with tracker.store.transaction():
        named = tracker.store.publishers.registry().named
        tracker.store.decisions.merge([named("Harbour Press")], named("AFP"), NOON)
    tracker._flow.settle()
    assert sources(tracker, U) == [(None, "AFP", "confirmed")]
    assert list(tracker.store.db.conn.execute("PRAGMA foreign_key_check")) == []


# -- the command line


def run(db: Path, *words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["--db", str(db), *words], catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def test_the_command_line_says_lists_exports_and_takes_in(tracker: Tracker, tmp_path: Path):
    db = tmp_path / "x.db"
    assert run(db, "verdicts")[1].startswith("Nobody has said anything yet.")
    assert run(db, "verdict", B, A, "confirm", "--by", "Ada", "--note", "I saw it")[0] == 0
    assert run(db, "verdict", "origin", D)[0] == 0
    assert run(db, "verdict", U, "AFP", "reject")[0] == 0
    status, exported, _ = run(db, "verdicts", "--format", "jsonl")
    assert (status, [json.loads(line)["says"] for line in exported.splitlines()]) == (0, ["confirm", "origin", "reject"])
    file = tmp_path / "verdicts.jsonl"
    file.write_text(exported + "no verdict\n", encoding="utf-8")
    status, _, told = run(tmp_path / "other.db", "verdicts", "--import", str(file))
    assert (status, "verdicts.jsonl:4: not a line of JSON" in told) == (1, True)
    again = [json.loads(line) for line in run(tmp_path / "other.db", "verdicts", "--format", "jsonl")[1].splitlines()]
    assert [v | {"standing": "in force", "why": None} for v in again] == [json.loads(line) for line in exported.splitlines()]
    assert run(db, "verdict", D, "origin", "revoke")[0] == 0
    assert run(db, "verdict", B, A, "revoke")[0] == 0
    status, _, told = run(db, "verdict", B, A, "revoke")
    assert (status, "nothing was said of this" in told) == (2, True)


def test_a_name_that_is_nobodys_is_kept_and_the_nearest_are_told(tracker: Tracker, tmp_path: Path):
    db = tmp_path / "x.db"
    status, _, told = run(db, "verdict", B, "Reutres", "reject")
    assert (status, "kept: " in told, "no publisher 'Reutres'; nearest: Reuters" in told) == (0, True, True)
    assert "no publisher" not in run(db, "verdict", B, "Reuters", "reject")[2]


def test_verdicts_are_taken_in_from_a_pipe(tracker: Tracker, tmp_path: Path):
    pipe = tmp_path / "pipe"
    mkfifo(pipe)
    writer = Thread(target=pipe.write_text, args=(json.dumps({"copy": B, "source": A, "says": "confirm"}),))
    writer.start()
    assert tracker.import_verdicts(pipe) == (1, [])
    writer.join()


@pytest.mark.parametrize("words", [(), (B,), (B, A), (B, A, "perhaps"), (B, A, "confirm", "x"), (B, "origin", "confirm")], ids=str)
def test_words_that_make_no_verdict_are_wrong_usage(tmp_path: Path, words: tuple[str, ...]):
    assert run(tmp_path / "x.db", "verdict", *words)[0] == 2


def test_taking_in_the_same_file_twice_changes_nothing(tracker: Tracker, tmp_path: Path):
    say(tracker, B, A, "confirm")
    file = tmp_path / "v.jsonl"
    file.write_text("".join(json.dumps(v) + "\n" for v in tracker.verdicts()), encoding="utf-8")
    before = tracker.verdicts(), findings(tracker)
    tracker.import_verdicts(file)
    assert (tracker.verdicts(), findings(tracker)) == before


def test_an_explanation_names_the_sources_that_a_person_ruled_out_and_why(tracker: Tracker):
    say(tracker, B, D, "reject")
    say(tracker, D, None, "origin")
    of_blog, *_ = tracker.trace(B, explain=True)["explanation"]
    assert of_blog["ruled_out"] == [{"source": D, "publisher": "The Pilot Digest", "observed": True, "says": "reject"}]
    assert D not in {a["source"] for a in of_blog["answers"]}
    (of_digest,) = tracker.trace(D, explain=True)["explanation"]
    assert {(g["source"], g["says"]) for g in of_digest["ruled_out"]} == {(A, "origin"), (B, "origin")}


def test_the_printed_chain_marks_what_a_person_confirmed_and_names_what_was_ruled_out(tracker: Tracker):
    say(tracker, B, A, "confirm")
    shown = CliRunner().invoke(main, ["--db", str(tracker.settings.db), "trace", B, "--explain"], terminal_width=200).stdout
    assert "confirmed by a person" in shown
    assert "a person confirmed another source" in shown
