"""A bounded number of places, taken as late and given back as early as can be."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Place:
    """One place of several; as a context manager it is given back at the end.

    It is taken where the work begins, not where the waiting for a turn does: feeds of a slow host would else wait in all places.
    """

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._taken = False

    async def take(self) -> None:
        """Wait for a place, unless this has one."""
        if not self._taken:
            await self._places.acquire()
            self._taken = True

    def leave(self) -> None:
        """Give it back, if this has one."""
        if self._taken:
            self._places.release()
            self._taken = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.leave()
