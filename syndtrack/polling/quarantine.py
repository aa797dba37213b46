"""What a worker must not be given again: inputs that killed, stalled or overfilled the one that read them.

An input is known by its address and its bytes. It is tried twice: at first with little time, so that nobody waits long behind it, then,
at a later look and in a lane of its own, with all the time that its kind may take. After that it is in quarantine until its bytes change.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from syndtrack.models import Input, Poison

TRIES = 2
# Addresses whose input needed more than the first try's time and was read at the second, and feeds of which one ran out of it: what they
# give next goes to the slow lane at once.
SLOW_REMEMBERED = 10_000


class Quarantine:
    """The inputs that failed, in memory: `follow` takes over what is stored, `news` are those that are still to be stored."""

    def __init__(self) -> None:
        self._failed: dict[tuple[str, str], tuple[int, str]] = {}
        self._stored: frozenset[tuple[str, str]] = frozenset()
        self._slow: OrderedDict[str | int, None] = OrderedDict()
        self.news: list[Poison] = []

    def follow(self, stored: Mapping[tuple[str, str], tuple[int, str]]) -> None:
        """What is stored, by address and hash: the number of tries and the reason. What was taken out there may be tried again."""
        # What is not stored yet, or was not when this was read, is kept.
        unstored = {key: failed for key, failed in self._failed.items() if key not in self._stored}
        self._failed = unstored | dict(stored)
        self._stored = frozenset(stored)

    def tries(self, given: Input) -> tuple[int, str]:
        """How often this input failed, and why it did so last."""
        return self._failed.get((given.url, given.content_hash), (0, ""))

    def failed(self, given: Input, reason: str) -> int:
        """One more try failed; returns how many did."""
        tries = self.tries(given)[0] + 1
        self._failed[given.url, given.content_hash] = (tries, reason)
        self.news.append(Poison(given, reason, tries))
        return tries

    def is_slow(self, given: Input) -> bool:
        """Whether what this address gave before needed more than the first try's time."""
        return given.url in self._slow

    def is_of_slow_feed(self, given: Input) -> bool:
        """Whether an input of the same feed ran out of time, and none was read since."""
        return given.feed_id in self._slow

    def note_slow(self, given: Input) -> None:
        """It was read, at the second try."""
        self._keep_slow(given.url)

    def note_slow_feed(self, given: Input) -> None:
        """It ran out of time; the other inputs of its feed may be of the same make."""
        if given.feed_id is not None:
            self._keep_slow(given.feed_id)

    def clear_feed(self, given: Input) -> None:
        """An input of this feed was read within the first try's time: the next ones are as any others."""
        self._slow.pop(given.feed_id or 0, None)

    def _keep_slow(self, what: str | int) -> None:
        self._slow[what] = None
        self._slow.move_to_end(what)
        if len(self._slow) > SLOW_REMEMBERED:
            self._slow.popitem(last=False)

    def take_news(self) -> list[Poison]:
        """Those still to be stored, once."""
        news, self.news = self.news, []
        return news
