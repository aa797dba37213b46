"""What all articles of a publisher tell of one: whom it names as its source as a rule, how far its dates can be believed, whether its
articles are observed as a rule.

All of it in few coarse steps, for a story is traced again whenever a step changes. Counts are compared by powers of two, so while the
articles of a publisher double, each step changes a few times at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from syndtrack.models import PublisherDates

# How soon after its claimed time an article was observed: feeds are read late, early by a clock's error only.
EARLIEST, PROMPT, LATEST = timedelta(minutes=-5), timedelta(hours=2), timedelta(hours=14)
ClaimKind = Literal["prompt", "late", "off", "undated"]
CLAIM_KINDS: tuple[ClaimKind, ...] = ("prompt", "late", "off", "undated")

# So many articles that name a publisher make the first and the second step of a habit.
HABIT_STEPS = (4, 16)
# Of fewer dated articles nothing is concluded. From so many articles on a publisher is one that is read, not one that turned up by chance.
LEAST_DATED, LEAST_POLLED = 4, 4


def habit_step(articles: int) -> int:
    """How firm a habit so many articles make: 0 (none), 1, 2."""
    return sum(articles >= step for step in HABIT_STEPS)


def claim_kind(published: datetime | None, first_seen: datetime) -> ClaimKind:
    """What observation says of one article's claimed time."""
    if published is None:
        return "undated"
    late = first_seen - published
    return "off" if not EARLIEST <= late <= LATEST else "late" if late > PROMPT else "prompt"


def dates_of(counts: Mapping[ClaimKind, int]) -> PublisherDates:
    """What a publisher's claims are like, by how many of its articles have claims of each kind.

    "off": a quarter to a half of them or more cannot be right; "slow": as many were observed hours late, claims tell more than that;
    "prompt": hardly any was, so one that was is doubtful; "" otherwise, and of few articles. Shares are of powers of two, hence the span.
    """
    dated = sum(counts.get(kind, 0) for kind in ("prompt", "late", "off"))
    size = dated.bit_length()
    if dated < LEAST_DATED:
        return ""
    if counts.get("off", 0).bit_length() + 1 >= size:
        return "off"
    late = counts.get("late", 0).bit_length()
    return "slow" if late + 1 >= size else "prompt" if late + 3 <= size else ""


def is_polled(counts: Mapping[ClaimKind, int]) -> bool:
    """Whether enough articles of a publisher were observed that one of its articles would hardly be missed."""
    return sum(counts.values()) >= LEAST_POLLED
