"""Functions that tests run in worker processes: importable there by name."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from syndtrack.errors import FeedError
from syndtrack.flow import ReadArticle, read_article
from syndtrack.models import Refusal, Submission
from syndtrack.polling.fetch import Answer
from syndtrack.polling.seen import ReadFeed, read_feed


def double(number: int) -> int:
    return 2 * number


def process_id() -> int:
    return os.getpid()


def loop_for_ever() -> NoReturn:
    while True:
        pass


def read_or_loop(answer: Answer, *rest: Any) -> ReadFeed:  # noqa: ANN401 - whatever read_feed takes
    return loop_for_ever() if b"LOOP" in answer.body else read_feed(answer, *rest)


def loop_in_c() -> None:
    sum(range(10**12))  # one call into C that no Python signal handler can interrupt


def say_and_loop_for_ever() -> None:
    print("looping", flush=True)
    loop_for_ever()


def wait_for_ever() -> None:
    signal.pause()


def take_memory(size: int) -> int:
    return len(bytearray(size))


def fill_memory(told: Path) -> None:
    """Twice as much each time, until there is no more; `told` gets the most that the process held, in bytes."""
    held = b"x" * 1_000_000
    try:
        while True:
            held += held
    finally:
        told.write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024))


def fill_memory_in_pieces(told: Path) -> None:
    """The same with pieces of a kilobyte, to the last one."""
    held: list[bytes] = []
    try:
        while True:
            held.append(b"x" * 1_000 + b"%d" % len(held))
    finally:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
        held.clear()
        told.write_text(str(peak))


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def refuse(what: str) -> None:
    raise FeedError(what, "no feed at all")


def stumble() -> None:
    raise KeyError("a bug, or bytes that make one")


def main_module_is_imported() -> bool:
    return hasattr(sys.modules["__main__"], "not_for_workers")


def read_feed_or_crash(answer: Answer, *rest: Any) -> ReadFeed:  # noqa: ANN401 - whatever read_feed takes
    if b"CRASH-FEED" in answer.body:
        crash()
    return read_feed(answer, *rest)


def read_article_or_crash(submission: Submission) -> ReadArticle | Refusal:
    if "CRASH-PAGE" in (submission.html or ""):
        crash()
    return read_article(submission)


def read_nothing(submission: Submission) -> Refusal:
    return Refusal(submission.url, "not read in this test")


def interrupt_myself(number: int) -> int:
    """What a Ctrl-C does that reaches the worker too."""
    os.kill(os.getpid(), signal.SIGINT)
    return number
