"""Hubs asked to push what is new in feeds, and what they pushed until it is read; `polling.websub` decides, the store keeps."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from syndtrack.errors import FetchError
from syndtrack.models import PollResult, Subscription
from syndtrack.polling import websub
from syndtrack.polling.fetch import Answer, Fetcher, status_text
from syndtrack.polling.hosts import HeldError
from syndtrack.store.store import Store
from syndtrack.urls import shown

HUBS_A_LOOK = 100  # asked at once; of one that serves many feeds one thing at a time
WAITING_PUSHES = 200
WAITING_BYTES = 50_000_000

T = TypeVar("T")
log = logging.getLogger(__name__)


class Stored(Protocol):
    """Runs a function on the thread that owns the store."""

    def __call__(self, function: Callable[[], T]) -> Awaitable[T]:
        """What the function returns."""


@dataclass(frozen=True, slots=True)
class Push:
    """What a hub sent of a feed, its signature checked."""

    feed_id: int
    answer: Answer


class Pushes:
    """Subscriptions at hubs and the queue of what these pushed.

    `planned` and `learn` run on the store's thread, everything else on the event loop.
    """

    def __init__(self, store: Store, fetcher: Fetcher, stored: Stored, public_url: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._fetcher = fetcher
        self._stored = stored
        self._public_url = public_url
        self._now = now
        self._asking: set[str] = set()
        self._waiting: deque[Push] = deque()
        self._bytes = 0
        self.closed = False
        self.arrived: Callable[[], None] = lambda: None

    # -- beside polls, on the store's thread

    def planned(self, result: PollResult) -> PollResult:
        """The result of a look, its next one later where a hub pushes."""
        return websub.backed_up(result, self._store.websub.of_feed(result.feed.id))

    def learn(self, result: PollResult) -> None:
        """What the result says of hubs."""
        old = self._store.websub.of_feed(result.feed.id)
        new = websub.after_hearing(old, result)
        if new is not None:
            new = websub.after_result(new, result, result.feed.interval)
        if new is not None and new is not old:
            with self._store.transaction():
                self._store.websub.keep(new)

    # -- asking hubs

    async def due(self) -> list[Subscription]:
        """What to ask for now: one thing of each hub that is not being asked. Each is to be given to `ask`."""
        found: dict[str, Subscription] = {}
        for each in await self._stored(lambda: self._store.websub.to_ask(self._now(), HUBS_A_LOOK)):
            if (key := self._fetcher.hosts.key(each.hub)) not in self._asking:
                found.setdefault(key, each)
        self._asking |= found.keys()
        return list(found.values())

    async def ask(self, subscription: Subscription) -> None:
        """One request to a hub."""
        try:
            await self._ask(subscription)
        finally:
            self._asking.discard(self._fetcher.hosts.key(subscription.hub))

    async def _ask(self, subscription: Subscription) -> None:
        """The same. What the hub says at once is not yet its word: it asks back at the callback."""
        asked = await self._stored(lambda: self._begin(subscription))
        if asked is None:
            return
        own, form = await self._is_own(asked.feed_id), websub.request_form(asked, self._public_url)
        try:
            answer = await self._fetcher.post(asked.hub, form, own=own)
        except FetchError as error:
            reason, until = error.reason, error.until if isinstance(error, HeldError) else None
            await self._stored(lambda: self._note(asked, reason, until))
        else:
            if not 200 <= answer.status < 300:
                await self._stored(lambda: self._note(asked, f"the hub answers {status_text(answer.status)}"))

    async def _is_own(self, feed_id: int) -> bool:
        """Whether the feed lives in a network of one's own, whose hub may, too."""
        feed = await self._stored(lambda: self._store.feeds.get(feed_id))
        return feed is not None and self._fetcher.is_own(feed.url)

    def _begin(self, due: Subscription) -> Subscription | None:
        """Store that the hub is being asked; None where there is no need any more."""
        with self._store.transaction():
            current = self._store.websub.of_feed(due.feed_id)
            if current != due:
                return None
            asked = websub.before_asking(due, self._now())
            if asked is None:
                self._store.websub.drop(due.feed_id)
            else:
                self._store.websub.keep(asked)
            return asked

    def _note(self, asked: Subscription, reason: str, until: datetime | None = None) -> None:
        """A request failed."""
        log.info("hub %s: %s", shown(asked.hub), reason)
        with self._store.transaction():
            current = self._store.websub.of_token(asked.token)
            if current is not None and current.tries:
                at = current.next_try if until is None or current.next_try is None else max(until, current.next_try)
                self._store.websub.keep(replace(current, reason=reason, next_try=at))

    # -- what hubs say at the callback

    async def confirm(self, token: str, query: Mapping[str, str]) -> bool:
        """The hub asks whether we asked; True where we did, which is then agreed."""

        def confirm() -> bool:
            with self._store.transaction():
                current = self._store.websub.of_token(token)
                new = None if current is None else websub.after_confirming(current, query, self._now())
                if new is None:
                    return False
                if new.wants == "unsubscribe":
                    self._store.websub.drop(new.feed_id)
                else:
                    self._store.websub.keep(new)
                return True

        return await self._stored(confirm)

    async def deny(self, token: str, query: Mapping[str, str]) -> bool:
        """The hub says that it will not push; False where it does not speak of what we asked for."""

        def deny() -> bool:
            with self._store.transaction():
                current = self._store.websub.of_token(token)
                new = None if current is None else websub.after_denial(current, query, self._now())
                if new is not None:
                    self._store.websub.keep(new)
                return new is not None

        return await self._stored(deny)

    async def ignored(self, token: str, reason: str) -> None:
        """Something was pushed that is not taken in."""

        def note() -> None:
            with self._store.transaction():
                current = self._store.websub.of_token(token)
                if current is not None:
                    self._store.websub.keep(replace(current, ignored=current.ignored + 1, reason=reason))

        await self._stored(note)

    # -- the queue, on the event loop

    def offer(self, push: Push) -> bool:
        """Take a push to be read soon; False where there is no room, or nobody to read it any more."""
        if self.closed or len(self._waiting) >= WAITING_PUSHES or self._bytes + len(push.answer.body) > WAITING_BYTES:
            return False
        self._waiting.append(push)
        self._bytes += len(push.answer.body)
        self.arrived()
        return True

    def take(self, busy: Collection[int]) -> Push | None:
        """The first push of a feed that is not busy. Its bytes count until `done`."""
        for push in self._waiting:
            if push.feed_id not in busy and not self.closed:
                self._waiting.remove(push)
                return push
        return None

    def done(self, push: Push) -> None:
        """The push was read and stored."""
        self._bytes -= len(push.answer.body)
