"""Publishers on the command line: found by any name, corrected by a person, asked who republished them."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_flow import AGENCY, AGGREGATOR, BLOG, UNRELATED

from syndtrack.cli import main


@pytest.fixture
def run(tmp_path: Path):
    articles = tmp_path / "a.jsonl"
    articles.write_text("".join(json.dumps(a) + "\n" for a in (AGENCY, AGGREGATOR, BLOG, UNRELATED)), encoding="utf-8")

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--db", str(tmp_path / "x.db"), *arguments])

    assert invoke("ingest", str(articles)).exit_code == 0
    return invoke


def publishers(run, *words: str) -> list[dict[str, object]]:
    return json.loads(run("publishers", "list", *words, "--format", "json").stdout)


def test_every_command_of_publishers_has_help_with_an_example(run):
    for name in main.commands["publishers"].commands:
        assert "Example:" in run("publishers", name, "--help").output, name


def test_publishers_are_listed_by_words_of_their_names_or_domains_and_by_kind(run):
    (row,) = publishers(run, "pilot", "digest")
    assert (row["name"], row["domains"], row["articles"], row["known_from"]) == ("The Pilot Digest", ["digest.example"], 1, "statement")
    assert publishers(run, "digest.example") == [row]
    assert {r["kind"] for r in publishers(run, "--kind", "agency")} == {"agency"}
    assert run("publishers", "list", "nobody", "at", "all").stdout == "No publisher like that is known.\n"
    read = list(csv.DictReader(io.StringIO(run("publishers", "list", "pilot digest", "--format", "csv").stdout)))
    assert [r["name"] for r in read] == ["The Pilot Digest"]
    lines = run("publishers", "list", "pilot digest", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [row]


def test_a_publisher_is_shown_by_any_of_its_names_with_whom_it_copies(run):
    record = json.loads(run("publishers", "show", "digest.example", "--format", "json").stdout)
    assert record["name"] == "The Pilot Digest"
    assert [r["copy_publisher"] for r in record["copied_by"]] == ["Mole End Blog"]
    assert [r["source_publisher"] for r in record["copies_from"]] == ["Lunnet Wire"]
    text = run("publishers", "show", "pilot digest").stdout
    assert "copied by Mole End Blog: once, 100% credited, median lag 140 min" in text
    assert all(line.startswith("  ") for line in text.splitlines()[1:])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "The Pilott Digest"), "no publisher 'The Pilott Digest'; nearest: The Pilot Digest"),
        (("show", "pilot"), "nearest: The Pilot Digest"),
        (("show", "→"), "syndtrack publishers list"),
        (("merge", "Mole End Blog", "blog.example"), "already the same publisher"),
        (("rename", "Mole End Blog", "Reuters"), "is a name of 'Reuters'; if both are one, merge them"),
        (("rename", "Mole End Blog", "Agence France Presse"), "is a name of 'AFP'"),
        (("rename", "Mole End Blog", " — "), "is no name"),
        (("set-owner", "Mole End Blog"), "give an OWNER"),
    ],
    ids=["typo", "part", "signs", "same", "taken", "taken alias", "no name", "no owner"],
)
def test_what_cannot_be_done_is_wrong_usage_and_says_what_could(run, arguments: tuple[str, ...], said: str):
    done = run("publishers", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_names_that_others_chose_reach_no_terminal_as_they_are(run):
    assert run("publishers", "rename", "Mole End Blog", "Molehill \x1b[31mred").exit_code == 0
    done = run("publishers", "show", "molehill")
    assert done.exit_code == 2
    assert "nearest: Molehill" in done.stderr
    assert "\x1b" not in done.stderr


def test_a_merge_moves_articles_and_names_and_says_so(run):
    done = run("publishers", "merge", "Mole End Blog", "digest.example")
    assert done.exit_code == 0
    assert "The Pilot Digest: 2 articles, also known as Mole End Blog" in done.stdout
    assert json.loads(run("publishers", "show", "blog.example", "--format", "json").stdout)["name"] == "The Pilot Digest"
    assert "decided" in run("publishers", "show", "blog.example").stdout


def test_a_renamed_publisher_keeps_its_old_name_as_an_alias(run):
    assert run("publishers", "rename", "Mole End Blog", "The Molehill").exit_code == 0
    assert json.loads(run("publishers", "show", "Mole End Blog", "--format", "json").stdout)["name"] == "The Molehill"
    assert json.loads(run("trace", BLOG["url"], "--format", "json").stdout)["article"]["publisher"] == "The Molehill"


def test_an_owner_that_is_set_marks_pairs_and_can_be_taken_back(run):
    def marked() -> list[bool]:
        return [m["same_owner"] for m in json.loads(run("report", "matches", "--format", "json").stdout)]

    assert not any(marked())
    for name in ("Mole End Blog", "The Pilot Digest"):
        assert "owner Burrow Media (known from: person)" in run("publishers", "set-owner", name, "Burrow Media").stdout
    assert sum(marked()) == 1
    assert "owner none" in run("publishers", "set-owner", "Mole End Blog", "--none").stdout
    assert not any(marked())
    assert run("publishers", "set-owner", "Mole End Blog", " - ").exit_code == 2
    assert "owner not known" in run("publishers", "set-owner", "Mole End Blog", "--unset").stdout


def test_a_kind_that_is_set_is_kept(run):
    assert run("publishers", "set-kind", "Lunnet Wire", "agency").stdout == "Lunnet Wire: agency\n"
    assert [r["name"] for r in publishers(run, "--kind", "agency", "lunnet")] == ["Lunnet Wire"]


def test_who_republished_a_publisher_is_told_with_lag_share_and_credit(run):
    rows = json.loads(run("publishers", "republished", "Lunnet Wire", "--format", "json").stdout)
    assert [(r["copy_publisher"], r["hops"], r["lag_seconds"], r["credited"], r["credited_to"]) for r in rows] == [
        ("The Pilot Digest", 1, 3_600, True, None),
        ("Mole End Blog", 2, 12_000, False, "The Pilot Digest"),
    ]
    for row in rows:
        assert row["longest_dropped"].startswith("The gates date from 1958")
        assert row["longest_added"].startswith("Here is one more thing")
        assert 0.7 < row["share_kept"] < 0.9
        assert row["dropped_words"] == 26
        assert row["added_words"] == 14
    assert run("publishers", "republished", "Upper Town Paper").stdout == "No copy of an article of Upper Town Paper is known.\n"
    assert len(list(csv.DictReader(io.StringIO(run("publishers", "republished", "Lunnet Wire", "--format", "csv").stdout)))) == 2
