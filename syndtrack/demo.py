"""The main job on the sample newsroom, shown from end to end: `syndtrack sample show`.

The newsroom is a real HTTP server on loopback; nothing on the way from its feeds to the chain knows that it is a sample.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

from syndtrack.config import Settings
from syndtrack.plurals import counted
from syndtrack.reports.chain import TraceRecord
from syndtrack.reports.formats import print_rows
from syndtrack.reports.tree import chain_tree, print_text
from syndtrack.sample.server import Newsroom, open_newsroom
from syndtrack.seeds import seeds_folder
from syndtrack.tracker import Tracker
from syndtrack.web.server import Site

REPOST = "kesmar-threatens-to-leave-port-ansel"  # the blog's repost at the end of the three hops
LOOPBACK = ip_network("127.0.0.0/8")
SHOWN = ("copy_publisher", "source_publisher", "kind", "confidence", "credited", "title")

Say = Callable[[str], None]


def show(db: Path, port: int, say: Say, *, once: bool) -> bool:
    """Poll the newsroom round by round, print what was found, then serve unless `once`. Returns whether the chain is the true one."""
    return asyncio.run(_show(replace(Settings(), db=db, allow_networks=(LOOPBACK,), host_delay=0.0), port, say, once=once))


async def _show(settings: Settings, port: int, say: Say, *, once: bool) -> bool:
    """The same, in one event loop with the newsroom."""
    async with open_newsroom(seeds_folder() / "sample") as newsroom:
        with Tracker(settings) as tracker:
            tracker.add([feed.url for feed in newsroom.feeds])
            say(f"{len(newsroom.feeds)} feeds of a newsroom on loopback, {newsroom.rounds + 1} rounds of polls while articles travel:")
            async with tracker.scheduler() as scheduler:
                for number in range(1, newsroom.rounds + 2):
                    summary = await scheduler.round(everything=True)
                    new = counted(summary.new, "new article or revision", "new articles and revisions")
                    say(f"  round {number}: {summary.polled} feeds polled, {new}")
                    newsroom.advance()
            print()
            rows = [{name: row[name] for name in SHOWN} for row in tracker.report("duplicates")]
            print_rows(rows, "text", empty="No duplicates.", title="Duplicates", header=SHOWN)
            print(f"\n$ syndtrack trace {newsroom.url_of(REPOST)}\n")
            record = tracker.trace(newsroom.url_of(REPOST))
            print_text(chain_tree(record))
            print()
            mistakes = _mistakes(newsroom, record)
            for mistake in mistakes or ["The chain is right."]:
                say(mistake)
        if not once:
            await _serve(settings, port, say)
    return not mistakes


def _mistakes(newsroom: Newsroom, record: TraceRecord) -> list[str]:
    """What differs from the newsroom's own record of who copied whom."""
    truth = {e.copy: e.source for e in newsroom.sample.edges}
    path, at = [newsroom.url_of(REPOST)], truth.get(REPOST)
    while at is not None:
        path.append(newsroom.url_of(at))
        at = truth.get(at)
    mistakes = []
    if [node["url"] for node in record["chain"]] != path:
        mistakes.append(f"The chain should be {' <- '.join(path)}")
    if not any(r["text"].startswith("READ ALSO") for r in record["removals"]):
        mistakes.append("The READ ALSO line should be listed as removed")
    kinds = {(c["kind"], c["publisher"]) for c in record["credits"]}
    if ("media", "AP") not in kinds or ("cited", "AFP") not in kinds:
        mistakes.append("The caption's AP should be a media credit, AFP's reporting should be cited")
    return mistakes


async def _serve(settings: Settings, port: int, say: Say) -> None:
    """Pages and API of what was found, until interrupted."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Site(settings, "127.0.0.1", port) as site:
        say(f"The same on pages: {site.address} (stop with Ctrl-C). The database: {settings.db}")
        await stop.wait()
