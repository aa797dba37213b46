"""The database that commands work on: which it is, when it is made, who else writes to it."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_flow import AGENCY, AGGREGATOR, BLOG

from syndtrack.cli import main
from syndtrack.store.store import Store


@pytest.mark.parametrize(
    "arguments",
    [
        *(["trace", "https://nowhere.example/a"], ["report", "stories"], ["search", "basin"], ["feeds"], ["explain", "nowhere.example"]),
        *(["export-feeds"], ["verdicts"], ["history"], ["publishers", "owners"], ["quarantine"], ["quarantine", "bytes", "3"]),
        *(["poll"], ["forget", "https://nowhere.example/a"], ["quarantine", "retry", "3"], ["quarantine", "drop", "--all"]),
        *(["verdict", "https://nowhere.example/a", "origin", "revoke"], ["verdict", "https://nowhere.example/a", "AFP", "reject"]),
        *(["publishers", "set-kind", "AFP", "agency"], ["publishers", "merge", "AFP", "Reuters"], ["publishers", "owners", "--fetch"]),
    ],
    ids=" ".join,
)
def test_looking_up_or_changing_what_is_not_there_makes_no_database(run, tmp_path: Path, arguments: list[str]):
    done = run(*arguments)
    assert done.exit_code == 3
    assert done.stderr == "syndtrack: no database at x.db; `syndtrack add URL` or `ingest` makes one\n"
    assert not list(tmp_path.glob("x.db*"))


@pytest.mark.parametrize(
    ("arguments", "stdin", "status"),
    [
        (["add", "ftp://feeds.example/rss"], None, 1),
        (["import", "missing.opml"], None, 2),
        (["import", "none.opml"], None, 1),
        (["ingest", "missing.jsonl"], None, 2),
        (["ingest", "bad.jsonl"], None, 1),
        (["ingest", "-"], "no json\n", 1),
        (["ingest", "-"], "", 0),
        (["verdicts", "--import", "bad.jsonl"], None, 1),
    ],
    ids=["add", "import missing", "import nothing", "ingest missing", "ingest bad", "ingest bad input", "ingest nothing", "verdicts"],
)
def test_a_database_is_made_only_when_there_is_something_to_put_in(
    run, tmp_path: Path, arguments: list[str], stdin: str | None, status: int
):
    (tmp_path / "bad.jsonl").write_text("{no json\n" * 300, encoding="utf-8")
    (tmp_path / "none.opml").write_text(
        '<opml version="2.0"><body><outline xmlUrl="ftp://feeds.example/rss"/></body></opml>', encoding="utf-8"
    )
    assert run(*arguments, stdin=stdin).exit_code == status
    assert not list(tmp_path.glob("x.db*"))


def test_lines_refused_before_the_first_article_are_kept_with_it(run, tmp_path: Path):
    lines = "{no json\n" * 600 + json.dumps(AGENCY)  # more than are stored at once
    assert len(run("ingest", "-", stdin=lines).stderr.splitlines()) == 1 + 600
    with closing(Store(tmp_path / "x.db", read_only=True)) as store:
        assert store.lookups.counts()["refusals"] == 600
        assert store.lookups.counts()["articles"] == 1


@pytest.mark.parametrize("arguments", [["feeds"], ["poll"], ["report", "edges"]], ids=" ".join)
def test_an_empty_file_is_no_database_yet_and_stays_empty(run, tmp_path: Path, arguments: list[str]):
    (tmp_path / "x.db").touch()
    done = run(*arguments)
    assert (done.exit_code, done.stderr.startswith("syndtrack: x.db: this file is empty")) == (3, True)
    assert (tmp_path / "x.db").stat().st_size == 0


def test_two_processes_that_take_in_archives_at_once_both_get_everything_in(tmp_path: Path):
    def ingesting(name: str, articles: list[dict[str, str]]) -> subprocess.Popen[str]:
        (tmp_path / name).write_text("".join(json.dumps(a) + "\n" for a in articles), encoding="utf-8")
        command = [sys.executable, "-m", "syndtrack", "--db", str(tmp_path / "x.db"), "ingest", str(tmp_path / name)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own command line

    both = [ingesting("a.jsonl", [AGENCY, BLOG]), ingesting("b.jsonl", [AGGREGATOR])]
    told = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    with closing(Store(tmp_path / "x.db", read_only=True)) as store:
        assert [(e["copy"], e["source"]) for e in store.lookups.edges()] == [
            (AGGREGATOR["url"], AGENCY["url"]),
            (BLOG["url"], AGGREGATOR["url"]),
        ]


def test_a_text_is_traced_where_there_is_no_database_and_none_is_made(run, tmp_path: Path):
    record = json.loads(run("trace", "-", "--format", "json", stdin=BLOG["text"]).stdout)
    assert record["credits"][0]["publisher"] == "The Pilot Digest"
    assert not (tmp_path / "x.db").exists()


@pytest.mark.parametrize("arguments", [["trace", BLOG["url"]], ["report", "edges"], ["search", "basin"], ["feeds"]],
                         ids=["trace", "report", "search", "feeds"])  # fmt: skip
def test_looking_something_up_does_not_wait_for_whoever_writes(filled, tmp_path: Path, arguments: list[str]):
    with closing(Store(tmp_path / "x.db")) as writer, writer.transaction():
        writer.db.execute("DELETE FROM edge")
        done = filled(*arguments)
    assert done.exit_code == 0
    if arguments[0] == "trace":
        assert "The Pilot Digest" in done.stdout


def test_a_database_of_another_program_is_refused_and_left_alone(run, tmp_path: Path):
    with sqlite3.connect(tmp_path / "x.db") as other:
        other.execute("CREATE TABLE theirs (x)")
    done = run("feeds")
    assert done.exit_code == 3
    assert "not made by syndtrack" in done.stderr
    (tmp_path / "x.db").write_bytes(b"This is no database at all." * 100)
    assert run("feeds").exit_code == 3


def test_the_database_may_be_named_by_the_environment_or_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNDTRACK_DB", "env.db")
    assert CliRunner().invoke(main, ["add", "https://feeds.example/rss"]).exit_code == 0
    assert (tmp_path / "env.db").exists()
    monkeypatch.delenv("SYNDTRACK_DB")
    (tmp_path / "syndtrack.toml").write_text('db = "file.db"\nfrobnicate = 1\n', encoding="utf-8")
    done = CliRunner().invoke(main, ["feeds"])
    assert done.exit_code == 2
    assert "frobnicate" in done.stderr
