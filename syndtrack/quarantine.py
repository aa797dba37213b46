"""The quarantine as people look into it and empty it: inputs that were too much for a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from syndtrack.errors import UsageError
from syndtrack.models import Refusal
from syndtrack.store.lookups import Row
from syndtrack.store.store import Store

NOT_THERE = "no such input is in quarantine; `syndtrack quarantine` lists what is"


class Quarantined:
    """What is in quarantine in a store. Inputs go by the ids under which they are listed."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def rows(self) -> list[Row]:
        """Inputs that killed, stalled or overfilled a worker, the latest first."""
        return self._store.quarantine.rows()

    def content(self, number: int) -> bytes:
        """The first bytes of one. Raises UsageError where there are none."""
        content = self._store.quarantine.content(number)
        if content is None:
            raise UsageError(f"{number}: no bytes are kept of it; `syndtrack quarantine` lists what there is")
        return content

    def retry(self, numbers: Iterable[int] | None = None) -> list[Refusal]:
        """Read these (all for None) again at their feeds' next looks, which are due at once; returns those that are not there."""
        return self._each(numbers, lambda number: self._store.quarantine.retry(number, self._now()))

    def drop(self, numbers: Iterable[int] | None = None) -> list[Refusal]:
        """List these (all for None) no more and let go of their bytes; returns those that are not there."""
        return self._each(numbers, self._store.quarantine.drop)

    def _each(self, numbers: Iterable[int] | None, change: Callable[[int], bool]) -> list[Refusal]:
        """Change some, all in one transaction."""
        with self._store.transaction():
            chosen = self._store.quarantine.ids() if numbers is None else list(dict.fromkeys(numbers))
            return [Refusal(str(number), NOT_THERE) for number in chosen if not change(number)]
