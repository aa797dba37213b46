"""Processes for parsing that can be killed.

Parsers have inputs of a few hundred kilobytes that keep them busy for minutes, and C libraries can crash. So bytes from outside are
parsed in worker processes with a deadline and a memory limit; what fails there fails alone. pebble does the supervision. What killed
a worker twice is not given to another one (see `quarantine`).

The start method is `forkserver`: the program has threads (name look-ups, the store's writer, pebble's own), and a fork of a process with
threads can deadlock; `spawn` would import the parsers anew, over a second of CPU, for every worker that is replaced. The fork
server imports them once and its children share them. Where there is none (Windows), `spawn` serves.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import CancelledError as PoolCancelledError
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib import import_module
from multiprocessing import resource_tracker
from multiprocessing.forkserver import _forkserver as _fork_server
from multiprocessing.synchronize import Semaphore
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from syndtrack.errors import PoisonError, PutOffError, RefusedError, SyndtrackError
from syndtrack.models import Input
from syndtrack.polling.quarantine import TRIES, Quarantine

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

# Address space of a worker, which is more than it can hold in memory at any time. Libraries map 220 MB of it; the largest real pages and
# feeds of 10 MB take 30 to 140 MB more.
MEMORY_BYTES = 512_000_000
# What a task has at least, where libraries map more.
LEAST_BYTES = 200_000_000
TASKS_PER_WORKER = 500
# Beyond a task's own deadline, for workers to start on a busy machine, and to be killed and replaced; then the whole pool is.
GRACE = 40.0
WALL_FACTOR = 4
# Of computing, for the first try at an input; feeds and pages of the web take 0.05 to 1.
FIRST_SECONDS = 3.0
# After so long a first try goes on in the slow lane, where that is free, and another input has its turn.
TURN_SECONDS = 1.0
# Inputs that wait for the slow lane; the next ones are asked to come again, so that what waits does not take up places elsewhere.
SLOW_WAITING = 4
START_SECONDS = 10.0
END_SECONDS = 10.0
PR_SET_PDEATHSIG = 1  # from <sys/prctl.h>
WARM_MODULES = ("syndtrack.polling.seen", "feedparser", "syndtrack.reading.charset", "protego")

_BASE: Any = multiprocessing.get_context("forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn")
_OUT_OF_TIME = getattr(signal, "SIGPROF", 0)
_TOO_LONG = "took longer than {:g} s to read and was stopped"
_main_lock = threading.Lock()


class Workers:
    """A pool of worker processes, started with the first `async with` and ended with it.

    `run` takes functions that are importable by name (none from `__main__`): workers never import the program's main module,
    so that a script without the `if __name__` guard works and a worker does not carry the whole command line. `warm` names modules that
    are imported before the first task, beside those for feeds; `memory_bytes` is what a worker may map, its libraries included.
    """

    def __init__(
        self,
        count: int | None = None,
        *,
        warm: Sequence[str] = (),
        memory_bytes: int = MEMORY_BYTES,
        tasks_per_worker: int = TASKS_PER_WORKER,
    ) -> None:
        self._count = count or os.cpu_count() or 1
        self._warm = (*WARM_MODULES, *warm)
        self._memory_bytes = memory_bytes
        self._tasks_per_worker = tasks_per_worker
        self._turns = asyncio.Semaphore(self._count)
        # One process more than `count`, for inputs that need more than the first try's time: they never stand before the others.
        self._slow_turn = asyncio.Semaphore(1)
        self._slow_waiting = 0
        self.quarantine = Quarantine()
        # Workers that ended before their task did, by "time", "memory" and "crash".
        self.killed: Counter[str] = Counter()
        self._pool: ProcessPool | None = None
        self._started = _BASE.Semaphore(0)  # one more for every process of the pool that has started

    async def __aenter__(self) -> Self:
        self._pool = self._new_pool()
        # The first task starts the processes. It takes a second, while the fork server imports what it shares, so not on the event loop.
        await asyncio.to_thread(self._pool.schedule, os.getpid)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            # A fork server whose children are ended while they start says so with a traceback.
            await asyncio.to_thread(self._wait_until_started)
            # Until the thread has ended, the pool is held here: dropped by a daemon thread while the program ends, it leaves semaphores.
            await asyncio.to_thread(_end_aside(pool).join, END_SECONDS)

    async def run(self, function: Callable[..., T], *args: object, what: str, deadline: float = 10.0, given: Input | None = None) -> T:
        """What `function(*args)` returns in a worker. `what` names the input in messages.

        `deadline` is in seconds of computing, so that a busy machine refuses nothing; waiting ends after WALL_FACTOR times as long.
        `given` is what the function reads, where that may come again: its first try has FIRST_SECONDS. Once an input of a feed ran out of
        time, the feed's others have their first try in the slow lane, so that a site whose every page loops takes up one process.

        Raises the SyndtrackError that the function raised, PoisonError when it took too long, needed too much memory or crashed the
        worker, PutOffError when it waits for another look untried, RefusedError when it failed in any other way.
        """
        if given is None:
            async with self._turns:
                return await self._run(function, args, what, deadline, None)
        tries, reason = self.quarantine.tries(given)
        if tries >= TRIES:
            raise PoisonError(what, f"in quarantine: {reason}", again=False)
        if not tries and not self.quarantine.is_slow(given) and not self.quarantine.is_of_slow_feed(given):
            async with self._turn() as may_take_longer:
                if not self.quarantine.is_of_slow_feed(given):  # it may have become one meanwhile
                    tried = asyncio.create_task(self._run(function, args, what, min(deadline, FIRST_SECONDS), given))
                    try:
                        done, _ = await asyncio.wait([tried], timeout=TURN_SECONDS)
                        if not done:
                            await may_take_longer()
                        return await tried
                    finally:
                        tried.cancel()
        async with self._in_slow_lane(what):
            if not tries and not self.quarantine.is_slow(given):
                result = await self._run(function, args, what, min(deadline, FIRST_SECONDS), given)
                self.quarantine.clear_feed(given)
                return result
            result = await self._run(function, args, what, deadline, given)
            self.quarantine.note_slow(given)
            return result

    @property
    def waiting(self) -> bool:
        """Whether all workers are busy."""
        return self._turns.locked()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """A turn at the workers; what it gives leaves it to others and takes the slow lane instead, if that is free."""
        await self._turns.acquire()
        held = self._turns

        async def leave() -> None:
            nonlocal held
            if not self._slow_turn.locked():
                await self._slow_turn.acquire()  # at once
                held = self._slow_turn
                self._turns.release()

        try:
            yield leave
        finally:
            held.release()

    @asynccontextmanager
    async def _in_slow_lane(self, what: str) -> AsyncIterator[None]:
        """A place in the slow lane. Raises PutOffError where too many wait for one."""
        if self._slow_waiting >= SLOW_WAITING:
            raise PutOffError(what)
        self._slow_waiting += 1
        try:
            async with self._slow_turn:
                yield
        finally:
            self._slow_waiting -= 1

    async def _run(self, function: Callable[..., T], args: tuple[object, ...], what: str, deadline: float, given: Input | None) -> T:
        """The same, once a worker is free."""
        pool = self._pool
        if pool is None:
            raise RuntimeError("use `async with Workers()`")
        try:
            wall = WALL_FACTOR * deadline
            async with asyncio.timeout(wall + GRACE):
                result: T = await asyncio.wrap_future(pool.schedule(_timed, args=(deadline, function, args), timeout=wall))
                return result
        except SyndtrackError:
            raise
        except TimeoutError as error:
            if not error.args:  # asyncio's, not pebble's: the pool itself has stopped answering
                self._replace(pool)
            raise self._poison("time", what, _TOO_LONG.format(deadline), given) from error
        except MemoryError as error:
            raise self._poison("memory", what, f"needs more than {self._memory_bytes // 1_000_000} MB to read", given) from error
        except ProcessExpired as error:
            too_long = error.exitcode == -_OUT_OF_TIME
            reason = _TOO_LONG.format(deadline) if too_long else f"the process that read it ended with status {error.exitcode}"
            raise self._poison("time" if too_long else "crash", what, reason, given) from error
        except Exception as error:
            if not isinstance(error, BrokenProcessPool | PoolCancelledError | RuntimeError):
                log.warning("%s: reading failed", what, exc_info=error)
            elif not pool.active:
                self._replace(pool)
            raise RefusedError(what, f"could not be read: {_one_line(error)}") from error

    def _poison(self, kind: str, what: str, reason: str, given: Input | None) -> PoisonError:
        """The error for an input that was too much for its worker, which is noted."""
        self.killed[kind] += 1
        tries = TRIES if given is None else self.quarantine.failed(given, reason)
        log.warning("%s: %s", what, reason, extra={"input": what, "kind": kind, "tries": tries})
        if given is not None:
            if kind == "time":
                self.quarantine.note_slow_feed(given)
            reason = f"in quarantine: {reason}" if tries >= TRIES else f"{reason}; tried once more at the next look"
        return PoisonError(what, reason, again=tries < TRIES)

    def _wait_until_started(self) -> None:
        """Wait, for a while, until each process of the pool has started."""
        until = time.monotonic() + START_SECONDS
        for _ in range(self._count + 1):
            if not self._started.acquire(timeout=max(0.0, until - time.monotonic())):
                return

    def _new_pool(self) -> ProcessPool:
        if _BASE.get_start_method() == "forkserver":
            _BASE.set_forkserver_preload(list(self._warm))
        return ProcessPool(
            max_workers=self._count + 1,
            max_tasks=self._tasks_per_worker,
            initializer=_prepare,
            initargs=(self._memory_bytes, self._warm, self._started),
            context=QuietContext(),
        )

    def _replace(self, broken: ProcessPool) -> None:
        if self._pool is broken:
            log.warning("the worker processes stopped answering and are replaced")
            self._started = _BASE.Semaphore(0)
            self._pool = self._new_pool()
            _end_aside(broken)


def _end_aside(pool: ProcessPool) -> threading.Thread:
    """Ends a pool in a thread of its own: the workers are killed within a moment, but a pool that answers no more may keep the thread.

    A thread of the event loop's executor would then keep the loop from closing.
    """

    def end() -> None:
        pool.stop()  # type: ignore[no-untyped-call] # pebble says py.typed but leaves this one untyped
        pool.join()

    thread = threading.Thread(target=end, name="syndtrack-end-pool", daemon=True)
    thread.start()
    return thread


def _prepare(memory_bytes: int, warm: Sequence[str], started: Semaphore) -> None:
    """Runs first in every worker."""
    started.release()
    # pebble asks with SIGTERM and waits 3 s before it kills; its handler cannot run while C code loops, the default action can.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name in warm:
        with suppress(ImportError):  # warming only: the task that needs it names what is missing
            import_module(name)
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not on every system

        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = max(memory_bytes, mapped + LEAST_BYTES)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # Killed with the fork server, which ends with the program: a worker in an endless loop must not outlive both. The server ends when
        # the last process lets go of its pipe, and hands that pipe to its children too.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        pipe = getattr(_fork_server, "_forkserver_alive_fd", None)
        if pipe is not None:
            os.close(pipe)
            _fork_server._forkserver_alive_fd = None  # type: ignore[attr-defined] # private: there is no other way to it


def _timed(deadline: float, function: Callable[..., T], args: tuple[object, ...]) -> T:
    """Runs in the worker: a signal that nobody handles ends the process after so many seconds of computing, in C code too."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, deadline)
    try:
        return function(*args)
    finally:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, 0)


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Processes that this thread starts meanwhile never get SIGINT; other threads do."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # else the fork server starts it first, which ends with the signal unblocked
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class QuietProcess(_BASE.Process):  # type: ignore[misc] # which class it is depends on the system
    """A process whose start does not make the child import the parent's main module, and which Ctrl-C does not reach.

    multiprocessing has no switch for the first: what the child imports is read from `sys.modules["__main__"]` at the start, so an empty
    module stands there meanwhile. A terminal sends SIGINT to every process of the program; the fork server ignores it only once it has
    imported all it shares, which takes seconds. So it starts with the signal blocked, as its children then do.
    """

    def start(self) -> None:
        """Start the child."""
        with _main_lock, _interrupts_blocked():
            main = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                super().start()
            finally:
                sys.modules["__main__"] = main


class QuietContext(type(_BASE)):  # type: ignore[misc] # as above
    """What pebble takes processes, pipes and locks from."""

    Process = QuietProcess
