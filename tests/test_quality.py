"""What is found on the sample newsroom, polled over HTTP round by round, against its own record of who copied whom."""

import asyncio
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from syndtrack.config import Settings
from syndtrack.sample import open_newsroom
from syndtrack.seeds import seeds_folder
from syndtrack.tracker import Tracker


@dataclass
class Findings:
    """Edges as found and as they truly are: copy -> sources, where a source is an address or a publisher's name."""

    found: dict[str, set[str]]
    true: dict[str, set[str]]
    rows: list[dict[str, Any]]
    truth: list[dict[str, Any]]
    failing: dict[str, str]
    wilful: set[str]
    unchanged_again: int


def target(edge: dict[str, Any]) -> str:
    return edge["source"] or edge["source_publisher"]


def by_copy(edges: list[dict[str, Any]]) -> dict[str, set[str]]:
    table: dict[str, set[str]] = {}
    for edge in edges:
        table.setdefault(edge["copy"], set()).add(target(edge))
    return table


@pytest.fixture(scope="module")
def newsroom_findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return asyncio.run(polled(tmp_path_factory.mktemp("quality") / "x.db"))


async def polled(db: Path) -> Findings:
    settings = replace(Settings(), db=db, allow_networks=(ip_network("127.0.0.0/8"),), host_delay=0.0)
    async with open_newsroom(seeds_folder() / "sample") as newsroom:
        with Tracker(settings) as tracker:
            tracker.add([feed.url for feed in newsroom.feeds])
            async with tracker.scheduler() as scheduler:
                for _ in range(newsroom.rounds + 1):
                    await scheduler.round(everything=True)
                    newsroom.advance()
                again = await scheduler.round(everything=True)
            rows = list(tracker.report("edges"))
            truth = newsroom.true_edges()
            failing = {row["url"]: row["reason"] for row in tracker.feeds() if row["failures"]}
            wilful = {feed.url for feed in newsroom.feeds if not feed.works}
    return Findings(by_copy(rows), by_copy(truth), rows, truth, failing, wilful, again.new)


def test_nearly_every_true_edge_is_found_and_nearly_none_is_made_up(newsroom_findings: Findings):
    found = {(c, s) for c, sources in newsroom_findings.found.items() for s in sources}
    true = {(c, s) for c, sources in newsroom_findings.true.items() for s in sources}
    recall, precision = len(found & true) / len(true), len(found & true) / len(found)
    assert recall >= 0.85, sorted(true - found)
    assert precision >= 0.9, sorted(found - true)


def test_two_papers_with_one_unobserved_agency_text_point_to_the_agency_and_not_to_each_other(newsroom_findings: Findings):
    agencies = [e for e in newsroom_findings.truth if e["source"] is None]
    assert agencies
    for edge in agencies:
        assert newsroom_findings.found.get(edge["copy"]) == {edge["source_publisher"]}, edge["copy"]


def test_what_is_said_to_be_credited_is(newsroom_findings: Findings):
    said = {(e["copy"], target(e)): bool(e["credited"]) for e in newsroom_findings.rows}
    for edge in newsroom_findings.truth:
        if (edge["copy"], target(edge)) in said:
            assert said[edge["copy"], target(edge)] == edge["credited"], edge


def test_feeds_that_fail_are_recorded_with_a_reason_and_the_rest_goes_on(newsroom_findings: Findings):
    assert newsroom_findings.failing.keys() == newsroom_findings.wilful
    assert all(newsroom_findings.failing.values())


def test_polling_again_adds_nothing(newsroom_findings: Findings):
    assert newsroom_findings.unchanged_again == 0
