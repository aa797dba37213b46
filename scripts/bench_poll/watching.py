"""What is watched while polling is measured: polls and their lateness, stalls of the event loop, memory and CPU of all our processes."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from syndtrack.metrics import LOOK_SECONDS, Metrics
from syndtrack.models import PollResult

TICKS = os.sysconf("SC_CLK_TCK")
MEMORY_EVERY = 5  # seconds


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


class Processes:
    """Looks every second at this process and those that it started: the most memory that all took at once, and their CPU seconds.

    Memory is PSS: what processes share is counted once. `without` is the process that serves the feeds. A process of its own looks: to
    read how much memory a process has stops it for a moment, and what is measured are stalls.
    """

    def __init__(self, without: int) -> None:
        self._command = [sys.executable, str(Path(__file__)), str(os.getpid()), str(without)]

    def start(self) -> None:
        """Begin to look."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far of this process and of the others; those of the last second of a process that ended are missing."""
        mine, others, _ = self._told()
        return mine, others

    @property
    def most_memory(self) -> float:
        """Bytes at most so far."""
        return self._told()[2]

    def _told(self) -> tuple[float, float, float]:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None and answers is not None  # noqa: S101, PT018 - for types
        asked.write("\n")
        asked.flush()
        mine, others, memory = map(float, answers.readline().split())
        return mine, others, memory


def watch(watched: int, without: int) -> None:
    """What the process of `Processes` does: answers each line of standard input with what it has seen, until the input ends."""
    cpu: dict[int, float] = {}
    most_memory, looks = 0, 0
    while True:
        for pid in (family := list(_family(watched, without))):
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                cpu[pid] = (int(fields[11]) + int(fields[12])) / TICKS
        if looks % MEMORY_EVERY == 0:
            most_memory = max(most_memory, sum(map(_pss, family)))
        looks += 1
        while select.select([sys.stdin], [], [], 1)[0]:
            if not sys.stdin.readline():
                return
            print(cpu[watched], sum(cpu.values()) - cpu[watched], most_memory, flush=True)


def _family(watched: int, without: int) -> Iterator[int]:
    """A process and those that it started, and these, but for this one and `without`."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found = {watched}
    for pid in sorted(parents):
        if parents[pid] in found and pid not in (without, os.getpid()):
            found.add(pid)
    yield from found


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    watch(*map(int, sys.argv[1:]))
