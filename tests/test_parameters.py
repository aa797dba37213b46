"""Parameters travel with fingerprints: what was made with others is never compared, and made anew when the database is used again."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_flow import AGENCY, AGGREGATOR, BLOG, UNRELATED, archive, findings

import syndtrack.pairing
from syndtrack.config import Settings
from syndtrack.errors import MismatchError
from syndtrack.matching.fingerprint import fingerprint, resemblance
from syndtrack.matching.signature import signature
from syndtrack.pairing import current_parameters
from syndtrack.reading.cleaning import cleaning_version
from syndtrack.reading.removal_rules import rule_files
from syndtrack.tracker import Tracker
from syndtrack.words import tokenise

SHORT = {"url": "https://short.example/1", "text": "Too short to be judged.", "first_seen": datetime(2026, 3, 2, tzinfo=UTC).isoformat()}


def test_a_changed_rule_changes_the_version_by_itself(monkeypatch):
    before = cleaning_version()
    cleaning_version.cache_clear()
    assert cleaning_version() == before
    changed = [content.replace(b"READ", b"RED") for content in rule_files()]
    monkeypatch.setattr("syndtrack.reading.cleaning.rule_files", lambda: iter(changed))
    cleaning_version.cache_clear()
    try:
        assert cleaning_version() != before
    finally:
        cleaning_version.cache_clear()


def test_fingerprints_and_signatures_of_different_cleaning_are_not_compared():
    words = tokenise(AGENCY["text"])
    with pytest.raises(MismatchError):
        resemblance(fingerprint(words), fingerprint(words, 7))
    one = signature(AGENCY["text"])
    with pytest.raises(MismatchError):
        one.resemblance(replace(one, parameters=replace(one.parameters, cleaning=7)))


def test_a_database_written_with_other_parameters_heals(tmp_path: Path, monkeypatch):
    path = archive(tmp_path, [AGENCY, AGGREGATOR, UNRELATED, SHORT])
    more = archive(tmp_path, [BLOG], "more.jsonl")
    with Tracker(Settings(db=tmp_path / "now.db")) as tracker:
        tracker.ingest([path, more])
        expected = findings(tracker)
    other = replace(current_parameters(), cleaning=7)
    with monkeypatch.context() as patch:
        for module in ("pairing", "flow"):
            patch.setattr(f"syndtrack.{module}.current_parameters", lambda: other)
        with Tracker(Settings(db=tmp_path / "then.db")) as tracker:
            tracker.ingest([path])
            assert made_with(tracker) == {7}
    with Tracker(Settings(db=tmp_path / "then.db")) as tracker:
        tracker.ingest([more])
        assert made_with(tracker) == {current_parameters().cleaning}
        assert findings(tracker) == expected
        assert tracker.store.db.execute("SELECT count(*) FROM parameters").fetchone() == (1,)


def test_texts_too_short_to_be_judged_are_cleaned_again_too(tmp_path: Path):
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        tracker.ingest([archive(tmp_path, [SHORT])])
        with tracker.store.transaction():
            assert tracker.store.matches.renew(current_parameters()) == 0
            assert tracker.store.matches.renew(replace(current_parameters(), window=16)) == 1
            assert tracker.store.db.execute("SELECT step FROM revision").fetchall() == [("read",)]


def test_what_is_current_is_left_alone(tmp_path: Path, monkeypatch):
    path = archive(tmp_path, [AGENCY, AGGREGATOR, SHORT])
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        tracker.ingest([path])
    cleaned = []
    monkeypatch.setattr(syndtrack.pairing.Pairing, "cleaned", lambda *given: cleaned.append(given))
    with Tracker(Settings(db=tmp_path / "x.db")) as tracker:
        tracker.ingest([path])
    assert cleaned == []


def made_with(tracker: Tracker) -> set[int]:
    rows = tracker.store.db.execute(
        "SELECT json_extract(p.json, '$.cleaning') FROM fingerprint f JOIN parameters p ON p.id = f.parameters_id"
    )
    return {row[0] for row in rows}
