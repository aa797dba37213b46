"""One poll of a feed, and many at once: ask, judge the answer, parse in a worker, fetch the pages of new entries, say when to come back."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from syndtrack.errors import FetchError, RefusedError
from syndtrack.models import Entry, Feed, FeedHints, PollResult, Refusal, SeenEntry
from syndtrack.polling import schedule
from syndtrack.polling.fetch import Answer, Fetcher, status_text
from syndtrack.polling.fulltext import is_long_summary
from syndtrack.polling.guard import Network
from syndtrack.polling.pages import LaterError, Pages
from syndtrack.polling.seen import ReadFeed, read_feed, submission
from syndtrack.polling.workers import Workers
from syndtrack.urls import shown

# What the store holds of a feed: a function from its id to keys and hashes of its entries.
Known = Callable[[int], Awaitable[Mapping[str, str]]]

# At 5 s between two requests to a host, fifty pages take four minutes; the rest waits for the next look.
PAGES_PER_POLL = 50
PAGES_SECONDS = 600.0
# Feeds whose pages are being fetched at once: each holds what it has fetched in memory.
FEEDS_WITH_PAGES = 200
PARSE_SECONDS = 20.0
ADOPT_MOVE_AFTER = 3
_ROOT_ENDS = (b"</rss>", b"</feed>", b"</rdf:rdf>", b"</urlset>", b"</sitemapindex>", b"</atom:feed>", b"}")


@dataclass(frozen=True, slots=True)
class _Look:
    """A feed's answer, read: what remains are the pages of its entries."""

    feed: Feed
    at: datetime
    answer: Answer
    read: ReadFeed
    known: Mapping[str, str]


class Poller:
    """Polls feeds; use it as an async context manager. `workers` are the caller's, started before and ended after it.

    `allow_networks` may be fetched from although they are private, `contact` is what the User-Agent names, `host_delay` seconds pass
    between two requests to one host, `concurrency` bounds the feeds being asked or parsed at once. `now` gives the time, aware, in UTC.
    `fetcher` takes the place of the one that is made of these.
    """

    def __init__(
        self,
        workers: Workers,
        *,
        allow_networks: Sequence[Network] = (),
        contact: str | None = None,
        host_delay: float = 5.0,
        concurrency: int = 32,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        fetcher: Fetcher | None = None,
    ) -> None:
        self.fetcher = fetcher or Fetcher(allowed=allow_networks, contact=contact, delay=host_delay, now=now)
        self._workers = workers
        self._now = now
        self._pages = Pages(self.fetcher, workers, now)
        self._concurrency = concurrency
        self._asking = asyncio.Semaphore(concurrency)
        self._reading = asyncio.Semaphore(FEEDS_WITH_PAGES)
        # A feed's hints stand in its body only, which "not modified" leaves out.
        self._hints: dict[int, FeedHints] = {}

    async def __aenter__(self) -> Self:
        await self.fetcher.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.fetcher.__aexit__(kind, error, trace)

    def hold(self, feeds: Iterable[Feed]) -> None:
        """Remembers which hosts asked to be left alone, as stored with their feeds: for all feeds, due or not, before polling any."""
        for feed in feeds:
            if feed.asked_to_wait_until is not None:
                self.fetcher.hosts.hold(feed.url, feed.asked_to_wait_until)

    async def poll(self, feeds: Iterable[Feed], known: Known) -> AsyncGenerator[PollResult, None]:
        """Polls feeds, many at once but one after the other on one host, and gives each result as it comes.

        A feed that fails gives a result that says so. Anything else that is raised is a bug and ends the round.
        """
        by_host: dict[str, deque[Feed]] = {}
        for feed in feeds:
            by_host.setdefault(urlsplit(feed.url).netloc.rpartition("@")[2].lower(), deque()).append(feed)
        self.hold(feed for queue in by_host.values() for feed in queue)
        results: asyncio.Queue[PollResult | BaseException | None] = asyncio.Queue(maxsize=self._concurrency)
        tasks = [asyncio.create_task(self._poll_host(queue, known, results)) for queue in by_host.values()]
        try:
            left = len(tasks)
            while left:
                result = await results.get()
                if isinstance(result, BaseException):
                    raise result
                if result is None:
                    left -= 1
                else:
                    yield result
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll_host(self, feeds: deque[Feed], known: Known, results: asyncio.Queue[PollResult | BaseException | None]) -> None:
        try:
            while feeds:
                feed = feeds.popleft()
                await self.fetcher.hosts.rest(feed.url)  # here and not in the turn: waiting must not take up a place
                await results.put(await self.poll_one(feed, known))
            await results.put(None)
        except Exception as error:
            await results.put(error)

    async def poll_one(self, feed: Feed, known: Known) -> PollResult:
        """One poll of one feed. `known` tells what is stored of its entries; unchanged ones are not read again."""
        async with self._asking:
            look = await self._look(feed, known)
        if isinstance(look, PollResult):
            return look
        async with self._reading:
            return await self._read(look)

    async def _look(self, feed: Feed, known: Known) -> _Look | PollResult:
        """Asks for the feed and reads it; a result where that ends the matter."""
        at = self._now()
        until = self.fetcher.hosts.held_until(feed.url, at)
        if until is not None:
            return self._waiting(feed, at, None, schedule.after_asked_to_wait(feed, at, until - at))
        full = schedule.needs_full_fetch(feed, at)
        etag, last_modified = (None, None) if full else (feed.etag, feed.last_modified)
        try:
            answer = await self.fetcher.fetch(feed.url, etag=etag, last_modified=last_modified)
        except FetchError as error:
            return self._failed(feed, at, None, error.reason, hard=False)
        at = self._now()
        if answer.status == 304 and (etag or last_modified):
            return self._unchanged(feed, at, answer, "not modified")
        if answer.status != 200:
            return self._refused(feed, at, answer)
        if not full and feed.body_hash == body_hash(answer.body):
            return self._unchanged(_with_validators(feed, answer), at, answer, "nothing new")
        return await self._parsed(feed, at, answer, known)

    async def _parsed(self, feed: Feed, at: datetime, answer: Answer, known: Known) -> _Look | PollResult:
        if not answer.body.strip():
            return self._failed(feed, at, 200, "the answer is empty", hard=False)
        if not answer.framed and not answer.body[-2_000:].rstrip().lower().endswith(_ROOT_ENDS):
            return self._failed(feed, at, 200, "the body is cut short", hard=False)
        stored = await known(feed.id)
        try:
            read = await self._workers.run(read_feed, answer, stored, feed.id, at, what=shown(feed.url), deadline=PARSE_SECONDS)
        except RefusedError as error:
            return self._failed(feed, at, 200, error.reason, hard=True)
        return _Look(feed, at, answer, read, stored)

    async def _read(self, look: _Look) -> PollResult:
        """Hands in what is new in a feed, with its page where an entry lacks the text."""
        feed, at, answer, read, known = look.feed, look.at, look.answer, look.read, look.known
        entries = read.entries
        from_pages, refused, left, again = await self._fetch_pages(entries.to_fetch, feed.id, at)
        seen = entries.ready + tuple(from_pages)
        # Entries whose page could not be had are asked for again at each look; to count them as new would bring the looks ever closer.
        new = sum(1 for entry in seen if entry.key not in known)
        gap = bool(known) and entries.seen > 1 and new == entries.seen
        plan = schedule.after_look(feed, at, new=new, seen=entries.seen, hints=read.hints, fresh_for=answer.fresh_for, gap=gap)
        self._hints[feed.id] = read.hints
        after = _adopt_move(_with_validators(feed, answer), answer)
        if left:
            plan = schedule.after_leaving_some(feed, plan, at, left)
        if left or again:
            # Without validators and hash, so that the next look gets the whole feed and finds them.
            after = replace(after, etag=None, last_modified=None, body_hash=None)
        after = replace(after, title=feed.title or read.title, last_full_fetch=at)
        return PollResult(
            feed=_planned(after, at, plan),
            at=at,
            outcome="new" if any(entry.submission for entry in seen) else "nothing new",
            status=answer.status,
            why=plan.why,
            entries=seen,
            refused=entries.refused + tuple(Refusal(shown(feed.url), problem) for problem in read.problems) + tuple(refused),
            received_bytes=answer.received,
        )

    async def _fetch_pages(
        self, to_fetch: tuple[tuple[SeenEntry, Entry], ...], feed_id: int, at: datetime
    ) -> tuple[list[SeenEntry], list[Refusal], int, int]:
        """Entries with the text of their pages, refusals, how many are left for the next look, and how many are to be tried again then."""
        tasks = [asyncio.create_task(self._fetch_page(seen, entry, feed_id, at)) for seen, entry in to_fetch[:PAGES_PER_POLL]]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=PAGES_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        read, refused, left, again = [], [], len(to_fetch) - len(tasks), 0
        for outcome in outcomes:
            if isinstance(outcome, asyncio.CancelledError):
                left += 1
            elif isinstance(outcome, LaterError):
                again += 1
                refused.append(Refusal(outcome.what, f"{outcome.reason}; tried again at the next look"))
            elif isinstance(outcome, BaseException):
                raise outcome
            elif isinstance(outcome, Refusal):
                refused.append(outcome)
            else:
                read.append(outcome)
        return read, refused, left, again

    async def _fetch_page(self, seen: SeenEntry, entry: Entry, feed_id: int, at: datetime) -> SeenEntry | Refusal:
        try:
            page = await self._pages.page(seen.url)
        except LaterError:
            raise
        except RefusedError as error:
            body = entry.content or entry.summary
            if body is not None and is_long_summary(body):
                return replace(seen, submission=submission(entry, seen.url, body, feed_id=feed_id, at=at))
            return Refusal(error.what, error.reason)
        return replace(seen, submission=submission(entry, page.url, page.html, feed_id=feed_id, at=at))

    def _unchanged(self, feed: Feed, at: datetime, answer: Answer, outcome: str) -> PollResult:
        plan = schedule.after_look(feed, at, new=0, seen=0, hints=self._hints.get(feed.id), fresh_for=answer.fresh_for)
        return PollResult(
            feed=_planned(feed, at, plan),
            at=at,
            outcome="not modified" if outcome == "not modified" else "nothing new",
            status=answer.status,
            why=plan.why,
            received_bytes=answer.received,
        )

    def _refused(self, feed: Feed, at: datetime, answer: Answer) -> PollResult:
        """The result for a status that is no success."""
        status = answer.status
        if status in (429, 503) and answer.retry_after is not None:
            return self._waiting(feed, at, status, schedule.after_asked_to_wait(feed, at, answer.retry_after))
        reason = f"the server answers {status_text(status)}"
        if status == 410 and feed.gone >= 1:
            plan = schedule.after_gone(feed, at)
            after = replace(_planned(feed, at, plan), gone=feed.gone + 1, failures=feed.failures + 1)
            return PollResult(after, at, "gone", status, plan.why, reason)
        after = replace(feed, gone=1) if status == 410 else feed
        return self._failed(after, at, status, reason, hard=400 <= status < 500 and status not in (408, 425, 429))

    def _failed(self, feed: Feed, at: datetime, status: int | None, reason: str, *, hard: bool) -> PollResult:
        """A failure saves no validators: they would vouch for what was not read."""
        plan = schedule.after_failure(feed, at, failures=feed.failures + 1, hard=hard)
        after = replace(feed, failures=feed.failures + 1, next_check=plan.next_check, last_polled=at, asked_to_wait_until=None)
        return PollResult(after, at, "failed", status, plan.why, reason)

    def _waiting(self, feed: Feed, at: datetime, status: int | None, plan: schedule.Plan) -> PollResult:
        asked = status is not None
        after = replace(
            feed, asked_to_wait_until=plan.next_check, next_check=plan.next_check, last_polled=at if asked else feed.last_polled
        )
        return PollResult(after, at, "waiting", status, plan.why, plan.why)


def body_hash(body: bytes) -> str:
    """What tells whether a feed's body is the one of the last look."""
    return hashlib.sha256(body).hexdigest()[:32]


def _with_validators(feed: Feed, answer: Answer) -> Feed:
    return replace(feed, etag=answer.etag, last_modified=answer.last_modified, body_hash=body_hash(answer.body))


def _planned(feed: Feed, at: datetime, plan: schedule.Plan) -> Feed:
    """The feed after a look that did not fail."""
    return replace(feed, interval=plan.interval, next_check=plan.next_check, last_polled=at, failures=0, gone=0, asked_to_wait_until=None)


def _adopt_move(feed: Feed, answer: Answer) -> Feed:
    """Takes over the address of a permanent redirect once ADOPT_MOVE_AFTER looks agreed on it. An address with a login is never changed."""
    to = answer.permanent_redirect_to
    if to is None or "@" in urlsplit(feed.url).netloc or "@" in urlsplit(to).netloc:
        return replace(feed, moved_to=None, moved_times=0)
    times = feed.moved_times + 1 if to == feed.moved_to else 1
    if times >= ADOPT_MOVE_AFTER:
        return replace(feed, url=to, moved_to=None, moved_times=0)
    return replace(feed, moved_to=to, moved_times=times)
