"""Polling and serving side by side until told to stop: `syndtrack run`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

from syndtrack.config import Settings
from syndtrack.scheduler import PollSummary
from syndtrack.tracker import Tracker
from syndtrack.web.server import Site

Say = Callable[[str], None]


def serve(settings: Settings, host: str, port: int, say: Say) -> None:
    """Poll and serve until SIGINT or SIGTERM; a second one ends the process at once. Raises UsageError where the port is taken."""
    asyncio.run(_serve(settings, host, port, say))


async def _serve(settings: Settings, host: str, port: int, say: Say) -> None:
    """The scheduler and the server side by side; a scheduler that fails ends both.

    Told to stop, it waits for the poll that is just being stored; polls under way are asked again when it starts the next time.
    """
    stop = stop_on_signals()
    with Tracker(settings) as tracker:
        if not tracker.feeds():
            say("no feeds yet: subscribe with `syndtrack add URL` while this runs")
        async with Site(settings, host, port) as site, tracker.scheduler() as scheduler:
            say(f"serving on {site.address} (stop with Ctrl-C)")
            polls = asyncio.create_task(scheduler.forever(lambda summary: say(_summary(summary))))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait((polls, stopped), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not polls.done():
                say("stopping; what was stored stays")
                polls.cancel()
            with suppress(asyncio.CancelledError):
                await polls


def stop_on_signals() -> asyncio.Event:
    """An event that the first SIGINT or SIGTERM sets. The second has the system's own effect: the end, at once."""
    stop, numbers = asyncio.Event(), (signal.SIGINT, signal.SIGTERM)
    loop = asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in numbers:
        loop.add_signal_handler(number, told)
    return stop


def _summary(summary: PollSummary) -> str:
    """One line a round."""
    asked = f"{summary.polled} feeds polled, {summary.failed} failed"
    return f"{asked}, {summary.new} new articles and revisions, {len(summary.refused)} inputs refused"
