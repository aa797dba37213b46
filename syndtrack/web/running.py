"""Polling and serving side by side until told to stop: `syndtrack run`."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from socket import socket

from syndtrack.config import Settings
from syndtrack.errors import GivenUpError
from syndtrack.metrics import Metrics
from syndtrack.plurals import counted
from syndtrack.scheduler import PollSummary
from syndtrack.tracker import Tracker
from syndtrack.web.listening import listening
from syndtrack.web.server import Site

log = logging.getLogger(__name__)


def serve(settings: Settings, host: str, port: int) -> None:
    """Poll and serve until SIGINT or SIGTERM; a second one ends the process at once. Raises UsageError where the place cannot be had.

    The port is taken first: where it cannot be, no database is made. The database is opened outside the event loop, which would not let
    an interruption end waiting for whoever writes to it.
    """
    with ExitStack() as stack:
        sockets = [stack.enter_context(each) for each in listening(host, port)]
        tracker = stack.enter_context(Tracker(settings))
        asyncio.run(_serve(tracker, host, port, sockets))


async def _serve(tracker: Tracker, host: str, port: int, sockets: Sequence[socket]) -> None:
    """The scheduler and the server side by side; a scheduler that fails ends both.

    Told to stop, it waits for the poll that is just being stored; polls under way are asked again when it starts the next time.
    """
    stop, metrics = stop_on_signals(tracker.store.leaving.set), Metrics()
    if not tracker.feeds():
        log.info("no feeds yet: subscribe with `syndtrack add URL` while this runs")
    try:
        await _until(stop, tracker, metrics, Site(tracker.settings, host, port, metrics=metrics, sockets=sockets))
    except GivenUpError:
        if not stop.is_set():
            raise


async def _until(stop: asyncio.Event, tracker: Tracker, metrics: Metrics, serving: Site) -> None:
    """The same, until the event is set."""
    async with serving as site, tracker.scheduler(metrics) as scheduler:
        site.judging.writer = scheduler
        site.callback.receiver = scheduler.pushes
        log.info("serving on %s (stop with Ctrl-C)", site.address)
        watch = asyncio.create_task(metrics.watch_loop())
        polls = asyncio.create_task(scheduler.forever(lambda summary: _told(summary, metrics)))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((polls, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        watch.cancel()
        if not polls.done():
            log.info("stopping; what was stored stays")
            polls.cancel()
        with suppress(asyncio.CancelledError):
            await polls


def stop_on_signals(at_once: Callable[[], None]) -> asyncio.Event:
    """An event that the first SIGINT or SIGTERM sets, calling `at_once`. The second has the system's own effect: the end, at once."""
    stop, numbers = asyncio.Event(), (signal.SIGINT, signal.SIGTERM)
    loop = asyncio.get_running_loop()

    def told() -> None:
        at_once()
        stop.set()
        for number in numbers:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in numbers:
        loop.add_signal_handler(number, told)
    return stop


def _told(summary: PollSummary, metrics: Metrics) -> None:
    """One line a round."""
    numbers = {"polled": summary.polled, "failed": summary.failed, "new": summary.new, "refused": len(summary.refused)}
    metrics.round_done(numbers)
    feeds, inputs = counted(summary.polled, "feed"), counted(len(summary.refused), "input")
    new = counted(summary.new, "new article or revision", "new articles and revisions")
    log.info("%s polled, %d failed, %s, %s refused", feeds, summary.failed, new, inputs, extra=numbers)
