"""What polite polling has to remember over restarts: hosts that asked to wait, robots.txt files, pages that failed.

The poller asks this; who keeps it (a database) is said by the caller. `Forgetful` keeps nothing, for a single round and for tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptHost:
    """A host by the name that `Hosts.key` gives it: until when it asked to be left alone, the pause in seconds that its site asks for."""

    name: str
    asked_to_wait_until: datetime | None = None
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class KeptRobots:
    """A site's robots.txt, good `until` then: empty where everything is allowed, None where it could not be had, and then why."""

    until: datetime
    body: bytes | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KeptFailure:
    """Why a page could not be had, until when it is not asked for again, and how often that was a failure that may pass."""

    reason: str
    until: datetime
    passing: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known at the start. `since`: at least this long ago anybody was asked for the last time; None where nobody ever was."""

    since: timedelta | None = None
    hosts: Sequence[KeptHost] = ()


class Memory(Protocol):
    """Asked by one poller at a time. `own` parts what was found with the networks that were allowed by name from what was without."""

    async def begin(self) -> Kept:
        """Polling begins."""

    async def end(self) -> None:
        """Polling has ended: nobody is asked any more."""

    def host(self, host: KeptHost) -> None:
        """Keeps what a host asked for, soon."""

    async def robots(self, origin: str, own: bool) -> KeptRobots | None:
        """The robots.txt of an origin (scheme, host, port)."""

    async def keep_robots(self, origin: str, own: bool, robots: KeptRobots) -> None:
        """Keeps a robots.txt."""

    async def failure(self, url: str, own: bool) -> KeptFailure | None:
        """Why a page could not be had the last time."""

    async def keep_failure(self, url: str, own: bool, failure: KeptFailure | None) -> None:
        """Keeps why a page could not be had; None where it could."""


class Forgetful:
    """A memory that keeps nothing."""

    async def begin(self) -> Kept:
        """Nothing is known."""
        return Kept()

    async def end(self) -> None:
        """Nothing to keep."""

    def host(self, host: KeptHost) -> None:
        """Nothing to keep."""

    async def robots(self, origin: str, own: bool) -> KeptRobots | None:
        """Nothing is known."""
        return None

    async def keep_robots(self, origin: str, own: bool, robots: KeptRobots) -> None:
        """Nothing to keep."""

    async def failure(self, url: str, own: bool) -> KeptFailure | None:
        """Nothing is known."""
        return None

    async def keep_failure(self, url: str, own: bool, failure: KeptFailure | None) -> None:
        """Nothing to keep."""
