"""Rows in all forms: CSV has its header whatever there is, and every form shows the same figures."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import ingested
from test_flow import AGENCY, AGGREGATOR, BLOG

from syndtrack.cli import main
from syndtrack.models import Input, Poison
from syndtrack.reports.columns import COLUMNS
from syndtrack.reports.formats import print_rows

COMMANDS = {
    **{name: ["report", name] for name in ("duplicates", "matches", "edges", "publishers", "stories", "feeds")},
    "feeds --why": ["feeds", "--why"],
    "search": ["search", "basin"],
    "verdicts": ["verdicts"],
    "history": ["history", BLOG["url"]],
    "quarantine": ["quarantine"],
    "publishers list": ["publishers", "list"],
    "publishers owners": ["publishers", "owners"],
    "publishers republished": ["publishers", "republished", "Lunnet Wire"],
    "signature --compare": ["signature", "--compare", "theirs.jsonl"],
}
EMPTY = COMMANDS | {  # what finds nothing in a database that holds publishers only
    "history": ["history"],
    "publishers list": ["publishers", "list", "nobody is called that"],
    "publishers owners": ["publishers", "owners", "AFP"],
    "publishers republished": ["publishers", "republished", "AFP"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two databases: `full.db` has a row for each of COMMANDS, `empty.db` none."""
    folder = tmp_path_factory.mktemp("columns")
    at = datetime(2026, 3, 3, tzinfo=UTC)
    with ingested(folder, [AGENCY, AGGREGATOR, BLOG], "full.db") as tracker:
        tracker.add(["https://feeds.example/rss"])
        tracker.judge([{"copy": BLOG["url"], "source": AGGREGATOR["url"], "says": "confirm"}])
        with tracker.store.transaction():
            tracker.store.quarantine.record([Poison(Input("feed", "https://feeds.example/rss", b"<rss>"), "took too long", 2)], at)
    with ingested(folder, [], "empty.db") as tracker:
        assert tracker.store.lookups.counts()["articles"] == 0
    signed = CliRunner().invoke(main, ["signature", str(folder / "full.db.jsonl")])
    (folder / "theirs.jsonl").write_text(signed.stdout, encoding="utf-8")
    return folder


@pytest.fixture
def printed(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)

    def run(db: str, command: list[str], form: str) -> str:
        done = CliRunner().invoke(main, ["--db", db, *command, "--format", form])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_every_kind_of_row_is_known():
    assert set(COMMANDS) == set(EMPTY) == set(COLUMNS)


@pytest.mark.parametrize("kind", COMMANDS)
def test_csv_without_rows_has_the_header_that_it_has_with_rows(printed, kind: str):
    with_rows = printed("full.db", COMMANDS[kind], "csv").splitlines()
    assert len(with_rows) > 1
    assert with_rows[0] == ",".join(COLUMNS[kind])
    assert printed("empty.db", EMPTY[kind], "csv").splitlines() == [",".join(COLUMNS[kind])]


@pytest.mark.parametrize("kind", COMMANDS)
def test_all_forms_show_the_same_figures(printed, kind: str):
    records = [json.loads(line) for line in printed("full.db", COMMANDS[kind], "jsonl").splitlines()]
    in_csv = list(csv.DictReader(io.StringIO(printed("full.db", COMMANDS[kind], "csv"))))
    for record, row in zip(records, in_csv, strict=True):
        figures = {name: str(figure) for name, figure in record.items() if isinstance(figure, float)}
        assert {name: row[name] for name in figures} == figures
        assert all(len(figure) <= 6 for figure in figures.values())
    if kind != "feeds --why":  # sentences
        names, *lines = (line.split("\t") for line in printed("full.db", COMMANDS[kind], "text").splitlines())
        for record, line in zip(records, lines, strict=True):
            figures = {name: str(figure) for name, figure in record.items() if isinstance(figure, float)}
            assert {name: cell for name, cell in zip(names, line, strict=True) if name in figures} == figures


def test_a_confidence_is_the_same_figure_with_three_digits_in_every_report(printed, folder: Path):
    with sqlite3.connect(folder / "full.db") as db:
        db.execute("UPDATE edge SET confidence = 0.73459 WHERE verdict IS NULL")
    told = {
        (kind, row["copy"]): row["confidence"]
        for kind in ("edges", "duplicates", "publishers republished")
        for row in map(json.loads, printed("full.db", COMMANDS[kind], "jsonl").splitlines())
    }
    trace = json.loads(printed("full.db", ["trace", AGGREGATOR["url"]], "json"))
    assert {told[kind, AGGREGATOR["url"]] for kind in ("edges", "duplicates", "publishers republished")} == {0.735}
    assert [edge["confidence"] for edge in trace["edges"]] == [0.735]


@pytest.mark.parametrize("form", ["text", "csv", "html", "json", "jsonl"])
def test_no_form_hands_on_what_a_terminal_would_obey(capsys: pytest.CaptureFixture[str], form: str):
    print_rows([{"title": "Ferry \x1b[2J late\x07", "n": 1}], form, empty="", title="Feeds", header=("title", "n"))
    printed = capsys.readouterr().out
    assert "Ferry" in printed
    assert not {"\x1b", "\x07"} & set(printed)


def test_a_long_headline_does_not_break_the_table_of_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")  # 80 columns, no colours
    rows = [{"title": "[bold]Ferry[/bold] " + "late " * 100, "n": 1}, {"title": "\\" * 500, "n": 2}]
    print_rows(rows, "text", empty="", title="Feeds", header=("title", "n"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 8
    assert all(len(line) <= 80 for line in lines)
    assert "[bold]Ferry[/bold] late" in lines[3]
    assert sum("…" in line for line in lines) == 2
