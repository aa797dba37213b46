"""Of two articles one of which points at the other, by a credit, a link or its headline, a sentence in common is enough for a match."""

import json
import random
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.config import Settings
from syndtrack.matching.compare import ATTESTED_PROSE, compare
from syndtrack.pairing import has_headline, is_attested
from syndtrack.store.matches import Stated
from syndtrack.tracker import Tracker
from syndtrack.words import folded_words, tokenise

SENTENCE = (
    "The last ferryman of the upper river hung up his oars on Sunday after fifty-one years, four drownings averted "
    "and one bishop carried across by mistake."
)


def paragraphs(seed: int, number: int) -> list[str]:
    """Paragraphs of made-up words that no other seed has."""
    draw = random.Random(seed)  # noqa: S311 -- no secret, made-up words
    return [" ".join("".join(draw.choices("abdegiklmnoprstuvz", k=draw.randint(3, 9))) for _ in range(45)) + "." for _ in range(number)]


def article(publisher: str, text: list[str], minute: int, title: str) -> dict[str, str]:
    host = publisher.lower().replace(" ", "") + ".example"
    return {
        "url": f"https://{host}/ferry", "publisher": publisher, "title": title, "text": "\n\n".join(text),
        "first_seen": f"2026-03-02T08:{minute:02}:00Z",
    }  # fmt: skip


REPORT = article("Upland Herald", [SENTENCE, *paragraphs(1, 6)], 0, "Nobody to row across")
BRIEF = article("Lowland Digest", [*paragraphs(2, 3), SENTENCE, *paragraphs(3, 3), "Via Upland Herald"], 30, "From the rivers this week")


def matched(folder: Path, files: list[list[dict[str, str]]]) -> list[tuple[str, str]]:
    """The pairs found when files come in one after the other."""
    folder.mkdir()
    with Tracker(Settings(db=folder / "x.db")) as tracker:
        for number, articles in enumerate(files):
            file = folder / f"{number}.jsonl"
            file.write_text("".join(json.dumps(a) + "\n" for a in articles), encoding="utf-8")
            tracker.ingest([str(file)])
        return [(row["a"], row["b"]) for row in tracker.report("matches")]


def test_a_sentence_in_common_is_a_match_where_one_credits_the_other_and_none_where_nobody_does(tmp_path: Path):
    silent = {**BRIEF, "text": BRIEF["text"].replace("Via Upland Herald", "")}
    assert matched(tmp_path / "credited", [[REPORT, BRIEF]]) == [(REPORT["url"], BRIEF["url"])]
    assert matched(tmp_path / "silent", [[REPORT, silent]]) == []


@pytest.mark.parametrize("order", list(permutations(range(2))), ids=["source first", "copy first"])
def test_it_is_found_whichever_comes_first(tmp_path: Path, order: tuple[int, ...]):
    assert matched(tmp_path / "x", [[(REPORT, BRIEF)[n]] for n in order]) == [(REPORT["url"], BRIEF["url"])]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_headline_that_a_later_sighting_of_the_same_text_has_counts(tmp_path: Path, order: tuple[int, ...]):
    report = {**REPORT, "title": "The last ferryman hangs up his oars"}
    text = [*paragraphs(2, 3), SENTENCE, *paragraphs(3, 3)]
    long = article("Lowland Digest", text, 30, "What we read this week about rivers, boats, fishes and everybody who lives beside them")
    short = article("Lowland Digest", text, 40, "Digest: The last ferryman hangs up his oars")
    files = [[report], [long], [short]]
    assert len(matched(tmp_path / "x", [files[n] for n in order])) == 1


def test_a_name_that_comes_to_mean_the_publisher_later_counts_from_then_on(tmp_path: Path):
    by_address = {k: v for k, v in REPORT.items() if k != "publisher"}
    says_its_name = article("Upland Herald", paragraphs(9, 4), 50, "Market days") | {"url": "https://uplandherald.example/market"}
    assert matched(tmp_path / "x", [[BRIEF], [by_address], [says_its_name]]) == matched(
        tmp_path / "y", [[says_its_name, by_address, BRIEF]]
    )


def stated(number: int, *, titles: tuple[str, ...] = (), credited: tuple[int, ...] = (), linked: tuple[int, ...] = ()) -> Stated:
    return Stated(number, number * 10, frozenset(map(folded_words, titles)), frozenset(credited), frozenset(linked))


@pytest.mark.parametrize(
    ("one", "other", "points"),
    [
        (stated(1), stated(2), False),
        (stated(1, credited=(20,)), stated(2), True),
        (stated(1, credited=(30,)), stated(2), False),
        (stated(1, linked=(2,)), stated(2), True),
        (
            stated(1, titles=("Nobody left to row across the river",)),
            stated(2, titles=("WATCH: nobody left to row across the river",)),
            True,
        ),
        (stated(1, titles=("Nobody left",)), stated(2, titles=("Nobody left",)), False),
        (stated(1, titles=("",)), stated(2, titles=("",)), False),
    ],
    ids=["nothing", "credit", "credit of another", "link", "headline", "short headline", "no headline"],
)
def test_what_points_at_another_article(one: Stated, other: Stated, points: bool):
    assert is_attested(one, other) is points
    assert is_attested(other, one) is points


def test_two_articles_of_one_publisher_do_not_point_at_each_other():
    one, other = stated(1, linked=(2,)), stated(2)
    assert not is_attested(one, Stated(2, one.publisher_id, other.titles, other.credited, other.linked))


def test_a_headline_stands_in_another_by_whole_words():
    assert has_headline("exclusive nobody left to row across", "nobody left to row across")
    assert not has_headline("nobody left to row acrossly", "nobody left to row across")


@given(st.integers(8, 24), st.integers(0, 9))
def test_less_is_enough_for_those_that_point_at_each_other_and_never_less_than_a_sentence(words: int, seed: int):
    passage = " ".join(paragraphs(seed + 50, 1)[0].split()[:words])
    a = tokenise("\n\n".join([passage + ".", *paragraphs(seed + 100, 3)]))
    b = tokenise("\n\n".join([*paragraphs(seed + 200, 3), passage + "."]))
    assert compare(a, b) is None
    found = compare(a, b, attested=True)
    assert (found is not None) == (words >= ATTESTED_PROSE)
    mirrored = compare(b, a, attested=True)
    assert (mirrored is None) == (found is None)
    if found and mirrored:
        assert (found.a_in_b, found.resemblance) == (mirrored.b_in_a, mirrored.resemblance)
