"""Why a source was chosen: what is told must be what tracing does, and what would change it must change it."""

import json
import time
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from click.testing import CliRunner
from conftest import ingested
from hypothesis import given
from hypothesis import strategies as st
from test_flow import AGENCY, AGGREGATOR, BLOG, REPORT, UNRELATED, article

from syndtrack.cli import main
from syndtrack.config import Settings
from syndtrack.provenance.explaining import _longest_run, quotation
from syndtrack.tracker import Tracker
from syndtrack.web.server import Site

SIBLING = article("https://sibling.example/basin", [*REPORT, "(Lunnet Wire)"], 90, publisher="Sibling Post")


@pytest.fixture
def tracker(tmp_path: Path):
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG, SIBLING, UNRELATED]) as opened:
        yield opened


def explained(tracker: Tracker, url: str) -> dict:
    """The explanation of one article, which is the first of its chain's."""
    return tracker.trace(url, explain=True)["explanation"][0]


@pytest.mark.parametrize("url", [a["url"] for a in (AGENCY, AGGREGATOR, BLOG, SIBLING, UNRELATED)])
def test_tracing_again_in_memory_gives_exactly_the_stored_edges(tracker: Tracker, url: str):
    record = tracker.trace(url, explain=True)
    assert [e["agrees"] for e in record["explanation"]] == [True] * len(record["explanation"])
    assert [e["article"] for e in record["explanation"]] == [n["url"] for n in record["chain"] if n["observed"]]
    for node, told in zip(pairwise(record["chain"]), record["explanation"], strict=False):
        assert told["decision"] == "edge"
        assert told["answers"][told["chosen"]]["source"] == node[1]["url"]
    assert record["explanation"][-1]["decision"] == "none"


def open_story(folder: Path) -> Tracker:
    """A text, the same with an agency's credit, and a part of it: too little to tell whose copy the part is."""
    whole = article("https://one.example/a", REPORT, 0, publisher="One")
    credited = article("https://two.example/b", [*REPORT, "Source: Lunnet Wire"], 30, publisher="Two")
    part = article("https://three.example/c", REPORT[1:], 60, publisher="Three")
    return ingested(folder, [whole, credited, part])


def test_a_copy_whose_source_is_undecided_is_not_called_an_origin_and_shows_what_was_weighed(tmp_path: Path):
    with open_story(tmp_path) as opened:
        decisions = []
        for url in ("https://one.example/a", "https://two.example/b", "https://three.example/c"):
            record = opened.trace(url, explain=True)
            end = record["explanation"][-1]
            decisions.append(end["decision"])
            assert ("undecided" in record) == (end["decision"] == "undecided")
            weighed = [(a["source"], a["publisher"], a["probability"]) for a in end["answers"]]
            shown = [(a["source"], a["publisher"], pytest.approx(a["probability"], abs=0.001)) for a in record.get("undecided", [])]
            assert weighed[: len(shown)] == shown
    assert "undecided" in decisions
    printed = CliRunner().invoke(main, ["--db", str(tmp_path / "x.db"), "trace", "https://three.example/c"]).output
    [told] = [line for line in printed.splitlines() if "undecided" in line]
    assert "source undecided; likeliest" in told
    assert "as far as known" not in told


def test_an_article_that_waits_to_be_traced_is_not_called_an_origin(tmp_path: Path):
    with ingested(tmp_path, [AGENCY]) as opened:
        assert opened.trace(AGENCY["url"])["judgement"] == "ok"
        with opened.store.transaction():
            opened.store.db.execute("UPDATE article SET traced = 0")
        assert opened.trace(AGENCY["url"])["judgement"] is None
    printed = CliRunner().invoke(main, ["--db", str(tmp_path / "x.db"), "trace", AGENCY["url"]]).output
    assert "waits to be traced" in printed
    assert "origin" not in printed


def test_what_was_undecided_is_forgotten_when_a_person_decides(tmp_path: Path):
    with open_story(tmp_path) as opened:
        assert "undecided" in opened.trace("https://three.example/c")
        assert opened.judge([{"copy": "https://three.example/c", "source": "https://one.example/a", "says": "confirm"}]) == []
        record = opened.trace("https://three.example/c")
        assert [n["url"] for n in record["chain"]][:2] == ["https://three.example/c", "https://one.example/a"]
        assert opened.store.lookups.undecided(opened.store.lookups.article_id("https://three.example/c")) == []


def test_an_edge_that_was_altered_in_the_store_is_told_to_differ(tracker: Tracker):
    with tracker.store.transaction():
        tracker.store.db.execute("UPDATE edge SET confidence = 0.5")
    assert not explained(tracker, BLOG["url"])["agrees"]


def test_every_answer_considered_is_there_with_its_share_and_they_add_up(tracker: Tracker):
    told = explained(tracker, BLOG["url"])
    assert {a["source"] for a in told["answers"]} == {AGENCY["url"], AGGREGATOR["url"], SIBLING["url"], None}
    assert sum(a["probability"] for a in told["answers"]) == pytest.approx(1.0, abs=0.001)
    assert [a["probability"] for a in told["answers"]] == sorted((a["probability"] for a in told["answers"]), reverse=True)


def test_quotations_stand_in_the_texts_where_they_are_said_to(tracker: Tracker):
    texts = {a["url"]: a["text"] for a in (AGENCY, AGGREGATOR, BLOG, SIBLING)}
    there = 0
    for told in tracker.trace(BLOG["url"], explain=True)["explanation"]:
        for answer in told["answers"]:
            for e in answer["evidence"]:
                if e["start"] is not None:
                    assert texts[told["article"]][e["start"] : e["end"]] == e["text"]
                if e["source_start"] is not None:
                    there += 1
                    assert texts[answer["source"]][e["source_start"] : e["source_end"]] == e["source_text"]
    assert there >= 3


def test_a_text_that_repeats_one_word_99000_times_is_quoted_without_a_comparison_of_each_pair():
    text = "Nothing here. " + "na " * 99_000 + "batman na na"
    counted = time.process_time()
    found = quotation("before " + "na " * 90 + "batman", [text])
    assert time.process_time() - counted < 1.5
    assert found is not None
    assert (found.text, found.end) == (("na " * 90 + "batman"), len(text) - len(" na na"))


@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 3), max_size=8))
def test_the_longest_run_in_common_is_that_of_difflib(words: list[int], sought: list[int]):
    found = SequenceMatcher(None, words, sought, autojunk=False).find_longest_match()
    assert _longest_run(np.array(words, np.uint32), np.array(sought, np.uint32)) == (found.a if found.size else 0, found.size)


def test_the_passage_that_tells_two_candidates_apart_is_in_one_of_them_only(tracker: Tracker):
    told = explained(tracker, BLOG["url"])
    assert "nobody in the ministry" in told["only_in_chosen"]["text"]
    assert told["only_in_chosen"]["text"] not in AGENCY["text"]


def test_without_the_credit_line_the_answer_is_what_tracing_says_without_it(tmp_path: Path):
    """The same articles, once with the line and once without: the second is what the first foretells."""
    with ingested(tmp_path, [AGENCY, AGGREGATOR], "with.db") as tracker:
        told = explained(tracker, AGGREGATOR["url"])
    (foretold,) = [w for w in told["what_if"] if w["change"] == "without its credit “Via Lunnet Wire”"]
    assert foretold["before"] == told["answers"][told["chosen"]]["probability"]
    bare = AGGREGATOR | {"text": AGGREGATOR["text"].replace("\n\nVia Lunnet Wire", "")}
    with ingested(tmp_path, [AGENCY, bare], "without.db") as tracker:
        chosen = explained(tracker, bare["url"])
    assert foretold["decision"] == chosen["decision"]
    assert foretold["after"] == pytest.approx(chosen["answers"][chosen["chosen"]]["probability"], abs=0.02)


def test_an_article_that_is_taken_away_is_nobodys_source(tracker: Tracker):
    told = explained(tracker, BLOG["url"])
    (gone,) = [w for w in told["what_if"] if w["change"] == "had it not been seen" and w["article"] == AGGREGATOR["url"]]
    assert gone["changes"]
    assert gone["after"] == 0
    assert gone["source"] != AGGREGATOR["url"]


def test_a_change_of_time_is_told_only_where_it_changes_the_answer(tmp_path: Path):
    """Two verbatim prints without credit: which came first is all that tells them apart."""
    one = article("https://one.example/basin", REPORT, 0, publisher="One")
    two = article("https://two.example/basin", REPORT, 30, publisher="Two")
    with ingested(tmp_path, [one, two]) as tracker:
        told = explained(tracker, two["url"])
    assert told["answers"][told["chosen"]]["source"] == one["url"]
    moved = [w for w in told["what_if"] if "later" in w["change"] or "earlier" in w["change"]]
    assert [w["article"] for w in moved] == [one["url"]]
    assert moved[0]["change"].endswith("later")
    assert moved[0]["changes"]


def test_a_text_that_is_not_stored_is_explained_and_leaves_nothing(tracker: Tracker):
    record = tracker.trace_text(BLOG["text"].replace("ferry landing", "old quay"), explain=True)
    told = record["explanation"][0]
    assert told["article"] is None
    assert told["agrees"]
    assert "unstored.invalid" not in json.dumps(record)
    assert tracker.store.lookups.counts()["articles"] == 5


def test_a_large_story_is_explained_with_bounded_work(tmp_path: Path):
    prints = [article(f"https://p{n}.example/basin", [*REPORT[: 3 + n % 4], f"Our own line number {n} of the day."], n, publisher=f"P{n}")
              for n in range(20)]  # fmt: skip
    with ingested(tmp_path, prints) as tracker:
        told = explained(tracker, prints[-1]["url"])
    assert told["agrees"]
    assert told["traced_again"] <= 12


PRINTS = [article(f"https://p{n}.example/basin", [*REPORT[: 3 + n % 4], f"Our own line number {n} of the day."], n, publisher=f"P{n}")
          for n in range(9)]  # fmt: skip


def test_what_is_shown_of_many_answers_is_bounded_and_the_rest_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with ingested(tmp_path, PRINTS) as tracker:
        everything = explained(tracker, PRINTS[-1]["url"])
        assert len(everything["answers"]) >= 8
        monkeypatch.setattr("syndtrack.reports.explain.MOST_ANSWERS", 5)
        told = explained(tracker, PRINTS[-1]["url"])
        assert (told["answers"], told["more_answers"]) == (everything["answers"][:5], len(everything["answers"]) - 5)
        text = CliRunner().invoke(main, ["--db", str(tmp_path / "x.db"), "trace", PRINTS[-1]["url"], "--explain"]).stdout
        first = text[text.index("Why") :].split("\nWhy")[0]
        assert sum(", score " in line for line in first.splitlines()) == 4
        assert f"{len(everything['answers']) - 4} more answers, none likelier than 0." in first
        monkeypatch.setattr("syndtrack.reports.explain.MOST_ANSWERS", 1)
        alone = explained(tracker, PRINTS[-1]["url"])
        assert alone["answers"] == [everything["answers"][everything["chosen"]]]
        assert (alone["chosen"], alone["log_odds"]) == (0, everything["log_odds"])


def test_the_sources_that_a_word_ruled_out_are_bounded_and_the_rest_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with ingested(tmp_path, PRINTS) as tracker:
        tracker.judge([{"copy": PRINTS[-1]["url"], "says": "origin"}])
        gone = len(explained(tracker, PRINTS[-1]["url"])["ruled_out"])
        assert gone >= 8
        monkeypatch.setattr("syndtrack.reports.explain.MOST_ANSWERS", 5)
        told = explained(tracker, PRINTS[-1]["url"])
        assert (len(told["ruled_out"]), told["more_ruled_out"]) == (5, gone - 5)
        text = CliRunner().invoke(main, ["--db", str(tmp_path / "x.db"), "trace", PRINTS[-1]["url"], "--explain"]).stdout
    first = text[text.index("Why") :].split("\nWhy")[0]
    assert first.count("✗") == 5
    assert f"✗ {gone - 4} more ruled out by a person's word" in first


# -- on the command line


@pytest.fixture
def run(tmp_path: Path):
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG]):
        pass
    return lambda *arguments: CliRunner().invoke(main, ["--db", str(tmp_path / "x.db"), *arguments])


def test_the_text_names_the_winner_the_losers_and_what_would_change_it(run):
    text = run("trace", BLOG["url"], "--explain").stdout
    assert "Why this source: Mole End Blog" in text
    assert "→ The Pilot Digest" in text
    assert "· Lunnet Wire" in text
    assert "What would change it" in text
    assert "Why no source: Lunnet Wire" in text


def test_the_record_without_asking_has_no_explanation(run):
    assert "explanation" not in json.loads(run("trace", BLOG["url"], "--format", "json").stdout)
    assert len(json.loads(run("trace", BLOG["url"], "--format", "json", "--explain").stdout)["explanation"]) == 3


def test_an_explanation_in_another_form_is_wrong_usage(run):
    done = run("trace", BLOG["url"], "--format", "prov", "--explain")
    assert done.exit_code == 2
    assert "--explain" in done.stderr


# -- pages and API


async def test_the_api_explains_when_asked_and_the_page_shows_the_same_collapsed(filled_db: Path, client: aiohttp.ClientSession):
    with Tracker(Settings(db=filled_db)) as tracker:
        expected = tracker.trace(BLOG["url"], explain=True)["explanation"]
    async with Site(Settings(db=filled_db), "127.0.0.1", 0) as site:
        for explain, there in (("1", True), ("0", False)):
            query = {"url": BLOG["url"], "explain": explain}
            record = await (await client.get(site.address + "api/v1/article", params=query)).json()
            page = await (await client.get(site.address + "article", params=query)).text()
            assert ("explanation" in record) is there
            assert ("What would change it" in page) is there
            if there:
                assert record["explanation"] == json.loads(json.dumps(expected))
                assert '<details class="edge">' in page


@pytest.mark.parametrize(("limit", "most"), [("MOST_EXPLAINED", 2), ("MOST_TEXT", 1_000)], ids=["articles", "text"])
async def test_a_story_too_large_to_explain_while_somebody_waits_is_refused_with_the_way_to_do_it(
    filled_db: Path, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
):
    monkeypatch.setattr(f"syndtrack.web.pages.{limit}", most)
    async with Site(Settings(db=filled_db), "127.0.0.1", 0) as site:
        answer = await client.get(site.address + "api/v1/article", params={"url": BLOG["url"], "explain": "1"})
        assert answer.status == 400
        assert "--explain" in (await answer.json())["error"]
