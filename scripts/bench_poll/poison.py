"""What workers run in the place of the readers while poison is mixed in: the same, but killed by what is marked so."""

from __future__ import annotations

import os
import signal
from typing import Any

from syndtrack.flow import ReadArticle, read_article
from syndtrack.models import Refusal, Submission
from syndtrack.polling.fetch import Answer
from syndtrack.polling.seen import ReadFeed, read_feed


def _suffer(text: str) -> None:
    if "POISON-LOOP" in text:
        while True:
            pass
    if "POISON-CRASH" in text:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "POISON-MEMORY" in text:
        bytearray(4_000_000_000)


def read_feed_or_die(answer: Answer, *rest: Any) -> ReadFeed:  # noqa: ANN401 - whatever read_feed takes
    """`read_feed`, or the end of the worker."""
    _suffer(answer.body.decode("utf-8", "replace"))
    return read_feed(answer, *rest)


def read_article_or_die(submission: Submission) -> ReadArticle | Refusal:
    """`read_article`, or the end of the worker."""
    _suffer(submission.html or "")
    return read_article(submission)
