"""Times as the database keeps them: RFC 3339, UTC, whole seconds, `Z`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def to_text(when: datetime) -> str:
    """An aware time as text that sorts."""
    # a tenth of strftime's time, five times a poll
    return when.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z" if when.year >= 1000 else "1000-01-01T00:00:00Z"


def to_text_up(when: datetime) -> str:
    """The same, rounded up to whole seconds: for times before which something must not happen."""
    return to_text(when if when.microsecond == 0 else when + timedelta(seconds=1))


def to_text_or_none(when: datetime | None) -> str | None:
    """The same, keeping None."""
    return None if when is None else to_text(when)


def to_time(text: str) -> datetime:
    """The time that a stored text stands for."""
    return datetime.fromisoformat(text)


def to_time_or_none(text: str | None) -> datetime | None:
    """The same, keeping None."""
    return None if text is None else to_time(text)
