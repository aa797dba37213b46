"""What tracing batch by batch reads of what persons said."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ingested
from test_flow import AGENCY, AGGREGATOR, BLOG, UNRELATED

from syndtrack import flow
from syndtrack.models import Verdict
from syndtrack.store.store import Store


def test_a_verdict_that_another_process_gives_between_two_batches_holds_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flow, "BATCH", 1)
    batches: list[int] = []
    with ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG, UNRELATED]) as tracker, closing(Store(tmp_path / "x.db")) as other:
        tracker.store.db.execute("UPDATE article SET traced = 0")

        def meanwhile(what: str, done: int, _: int) -> None:
            if what == "traced" and not batches:
                with other.transaction():
                    other.verdicts.give(Verdict(UNRELATED["url"], "Rye Bread Agency", "confirm", datetime(2026, 3, 3, tzinfo=UTC)))
            batches.append(done)

        tracker._flow.settle(meanwhile)
        assert batches == [3, 4]
        edges = {e["copy"]: (e["source_publisher"], e["verdict"]) for e in tracker.report("edges")}
        assert edges[UNRELATED["url"]] == ("Rye Bread Agency", "confirmed")
