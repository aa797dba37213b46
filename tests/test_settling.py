"""What tracing batch by batch reads once, and what it reads again."""

from contextlib import closing
from pathlib import Path

import pytest
from conftest import ingested
from test_flow import AGENCY, AGGREGATOR, BLOG, UNRELATED

from syndtrack import flow
from syndtrack.provenance.verdicts import Verdicts
from syndtrack.store.store import Store
from syndtrack.store.verdicts import VerdictTable


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[VerdictTable]:
    """Who read all verdicts, each time."""
    read, holding = [], VerdictTable.holding

    def counted(table: VerdictTable, registry: object) -> Verdicts:
        read.append(table)
        return holding(table, registry)

    monkeypatch.setattr(VerdictTable, "holding", counted)
    monkeypatch.setattr(flow, "BATCH", 1)
    return read


def test_verdicts_are_read_once_for_all_batches(tmp_path: Path, readings: list[VerdictTable]):
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG, UNRELATED]) as tracker:
        readings.clear()
        tracker.store.db.execute("UPDATE article SET traced = 0")
        tracker._flow.settle()
        assert tracker.store.db.execute("SELECT count(*) FROM article WHERE traced = 0").fetchone() == (0,)
    assert len(readings) == 1


def test_a_verdict_that_another_process_gives_meanwhile_is_read_before_the_next_batch(tmp_path: Path, readings: list[VerdictTable]):
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG, UNRELATED]) as tracker, closing(Store(tmp_path / "x.db")) as other:
        readings.clear()
        tracker.store.db.execute("UPDATE article SET traced = 0")

        def meanwhile(what: str, done: int, _: int) -> None:
            if what == "traced" and len(readings) == 1:
                with other.transaction():
                    other.articles.refuse(tracker._now(), f"{what} {done}", "")

        tracker._flow.settle(meanwhile)
    assert len(readings) == 2
