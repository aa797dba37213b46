"""Numbers of things in sentences: "1 article", "2 articles"."""

from __future__ import annotations


def counted(number: int, one: str, several: str | None = None) -> str:
    """A number with what it counts; `several` where that is not `one` with an s behind it."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
