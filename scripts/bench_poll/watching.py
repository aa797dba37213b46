"""What is watched while polling is measured: polls and their lateness, stalls of the event loop, memory and CPU of all our processes."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from syndtrack.metrics import LOOK_SECONDS, Metrics
from syndtrack.models import PollResult

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Watched(Metrics):
    """Metrics that keep each poll's feed and lateness, and the longest stalls of the event loop, in seconds."""

    polls: list[tuple[int, float]] = field(default_factory=list)
    articles: int = 0
    stall: float = 0.0
    own_stall: float = 0.0

    def __post_init__(self) -> None:
        """What metrics have."""
        super().__init__()

    def polled(self, result: PollResult, due: datetime | None, new: int, refused: int) -> None:
        """Note one."""
        super().polled(result, due, new, refused)
        late = max((datetime.now(UTC) - due).total_seconds(), 0.0) if due else 0.0
        self.polls.append((result.feed.id - 1, late))
        self.articles += new

    async def watch_stalls(self) -> None:
        """Measure until cancelled. `own_stall` is what this process computed meanwhile: on a busy machine others cause stalls, too."""
        while True:
            before, computed = time.monotonic(), time.process_time()
            await asyncio.sleep(LOOK_SECONDS)
            late = max(time.monotonic() - before - LOOK_SECONDS, 0.0)
            self.stall = max(self.stall, late)
            self.own_stall = max(self.own_stall, min(late, time.process_time() - computed))


class Processes(threading.Thread):
    """Looks every second at this process and those that it started: the most memory that all took at once, and their CPU seconds.

    Memory is PSS: what processes share is counted once. `without` is the process that serves the feeds.
    """

    def __init__(self, without: int) -> None:
        super().__init__(daemon=True)
        self.without, self.most_memory = without, 0
        self._cpu: dict[int, float] = {}

    def run(self) -> None:
        """Look every second."""
        while True:
            self.most_memory = max(self.most_memory, sum(_pss(pid) for pid in self._family()))
            self.cpu()
            time.sleep(1)

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far of this process and of the others; those of the last second of a process that ended are missing."""
        for pid in self._family():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                self._cpu[pid] = (int(fields[11]) + int(fields[12])) / TICKS
        mine = self._cpu.get(os.getpid(), 0.0)
        return mine, sum(self._cpu.values()) - mine

    def _family(self) -> Iterator[int]:
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        mine = {os.getpid()}
        for pid in sorted(parents):
            if parents[pid] in mine and pid != self.without:
                mine.add(pid)
        yield from mine


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
