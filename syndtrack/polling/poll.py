"""One poll of a feed, and many at once: ask, judge the answer, parse in a worker, fetch the pages of new entries, say when to come back."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from syndtrack.errors import FetchError, PoisonError, PutOffError, RefusedError
from syndtrack.models import Entry, FailureGrade, Feed, Input, PollResult, Refusal, SeenEntry
from syndtrack.polling import schedule
from syndtrack.polling.answers import body_hash, breaks_off, grade_of, is_page
from syndtrack.polling.fetch import Answer, Fetcher, status_text
from syndtrack.polling.fulltext import is_long_summary
from syndtrack.polling.guard import Network
from syndtrack.polling.hosts import HeldError
from syndtrack.polling.memory import Forgetful, Memory
from syndtrack.polling.pages import LaterError, Pages
from syndtrack.polling.places import Place
from syndtrack.polling.seen import ReadFeed, read_feed, submission
from syndtrack.polling.workers import Workers
from syndtrack.urls import registrable_domain, shown

# What the store holds of a feed: a function from its id to keys and hashes of its entries.
Known = Callable[[int], Awaitable[Mapping[str, str]]]
# What came of feeds, a bug, or None for each host that is done.
Results = asyncio.Queue[PollResult | BaseException | None]

# At 5 s between two requests to a host, fifty pages take four minutes; the rest waits for the next look.
PAGES_PER_POLL = 50
PAGES_SECONDS = 600.0
# Of one feed: what it links to may be slow hosts and names that hang, and must not take up all connections and look-ups.
PAGES_AT_ONCE = 4
# Feeds whose pages are being fetched at once: each holds what it has fetched in memory, up to so many bytes, and all of them together.
FEEDS_WITH_PAGES = 200
PAGES_BYTES = 20_000_000
ALL_PAGES_BYTES = 300_000_000
PARSE_SECONDS = 10.0  # of computing; feeds of 10 MB take 3
# Hosts begun with, whose names or pauses are waited for: each holds 10 KB. So many names that hang at once are seen where the net is down.
HOSTS_BEGUN = 5_000
SORTED_AT_ONCE = 200  # feeds, by their hosts, before the event loop goes on: 50,000 take two seconds
ADOPT_MOVE_AFTER = 3
# A feed that breaks off though its server says it is whole is taken as it is after so many looks: some never end as they should.
BROKEN_LOOKS = 3


@dataclass(frozen=True, slots=True)
class _Look:
    """A feed's answer, read: what remains are the pages of its entries. `after` has the answer's validators, `answer` no body any more."""

    feed: Feed
    after: Feed
    at: datetime
    answer: Answer
    read: ReadFeed
    known: Mapping[str, str]


@dataclass(slots=True)
class _Fetched:
    """What came of the pages of a look: entries with their text or refused, how many are left for the next look or to be tried again."""

    entries: list[SeenEntry] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    left: int = 0
    again: int = 0


class Poller:
    """Polls feeds; use it as an async context manager. `workers` are the caller's, started before and ended after it.

    `allow_networks` may be fetched from although they are private, `contact` is what the User-Agent names, `host_delay` seconds pass
    between two requests to one host, `concurrency` bounds the feeds being asked or parsed at once. `now` gives the time, aware, in UTC.
    `fetcher` takes the place of the one that is made of these, `memory` keeps over restarts what politeness needs.
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
        proxy: str | None = None,
        fetcher: Fetcher | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.fetcher = fetcher or Fetcher(allowed=allow_networks, contact=contact, delay=host_delay, proxy=proxy, now=now)
        self._workers = workers
        self._now = now
        self._memory = memory or Forgetful()
        self.pages = Pages(self.fetcher, workers, self._memory, now)
        self._concurrency = concurrency
        self._asking = asyncio.Semaphore(concurrency)
        self._begun = asyncio.Semaphore(HOSTS_BEGUN)
        self._host_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._reading = asyncio.Semaphore(FEEDS_WITH_PAGES)
        # Bytes of pages that results hold, by feed, until these were taken.
        self._page_bytes: dict[int, int] = {}

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(registrable_domain, "example.org")  # loads the list of suffixes, 0.1 s: not on the event loop later
        kept = await self._memory.begin()
        await self.fetcher.__aenter__()
        if kept.since is not None:
            self.fetcher.hosts.remember(kept.since, kept.hosts)
        self.fetcher.hosts.told = self._memory.host
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.fetcher.__aexit__(kind, error, trace)
        await self._memory.end()

    async def poll(self, feeds: Iterable[Feed], known: Known) -> AsyncGenerator[PollResult, None]:
        """Polls feeds, many at once but one after the other on one host, and gives each result as it comes.

        A feed that fails gives a result that says so. Anything else that is raised is a bug and ends the round.
        """
        by_host: dict[str, deque[Feed]] = {}
        for number, feed in enumerate(feeds, 1):
            if not number % SORTED_AT_ONCE:
                await asyncio.sleep(0)
            by_host.setdefault(self.fetcher.hosts.key(feed.url), deque()).append(feed)
        results: Results = asyncio.Queue(maxsize=self._concurrency)
        taken, tasks = asyncio.Event(), set[asyncio.Task[None]]()
        beginning = asyncio.create_task(self._begin(by_host, known, results, taken, tasks))
        try:
            left = len(by_host)
            while left:
                result = await results.get()
                taken.set()
                if isinstance(result, BaseException):
                    raise result
                if result is None:
                    left -= 1
                else:
                    yield result
                    self._page_bytes.pop(result.feed.id, None)
        finally:
            ended = [beginning, *tasks]
            for task in ended:
                task.cancel()
            await asyncio.gather(*ended, return_exceptions=True)
            while not results.empty():
                result = results.get_nowait()
                if isinstance(result, PollResult):
                    self._page_bytes.pop(result.feed.id, None)

    async def _begin(
        self, by_host: Mapping[str, deque[Feed]], known: Known, results: Results, taken: asyncio.Event, tasks: set[asyncio.Task[None]]
    ) -> None:
        """Begin with hosts as there are places: of 50,000 that are due at once few are under way, and the event loop goes on between them.

        `taken` is set with each result that was taken; `tasks` are those that run.
        """
        for host, feeds in by_host.items():
            async with self._asking:
                pass
            while results.full():
                taken.clear()
                await taken.wait()
            await self._begun.acquire()
            task = asyncio.create_task(self._poll_host(host, feeds, known, results))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            task.add_done_callback(lambda _: self._begun.release())
            await asyncio.sleep(0)  # it takes its place, or waits for its turn or its name without one

    async def _poll_host(self, host: str, feeds: deque[Feed], known: Known, results: Results) -> None:
        try:
            while feeds:
                feed = feeds.popleft()
                # One feed of a host at a time, whichever look found it due: neither it nor those behind it take up places by waiting.
                async with self._host_turns.setdefault(host, asyncio.Lock()):
                    await self.fetcher.hosts.rest(feed.url)
                    result = await self.poll_one(feed, known)
                await results.put(result)
            await results.put(None)
        except Exception as error:
            await results.put(error)

    async def poll_one(self, feed: Feed, known: Known) -> PollResult:
        """One poll of one feed. `known` tells what is stored of its entries; unchanged ones are not read again."""
        async with Place(self._asking) as place:
            look = await self._look(feed, known, place)
        if isinstance(look, PollResult):
            return look
        if not look.read.entries.to_fetch:
            return await self._read(look)
        async with self._reading:
            return await self._read(look)

    async def _look(self, feed: Feed, known: Known, place: Place) -> _Look | PollResult:
        """Asks for the feed and reads it, in a place that the asking takes; a result where that ends the matter."""
        at = self._now()
        full = schedule.needs_full_fetch(feed, at)
        etag, last_modified = (None, None) if full else (feed.etag, feed.last_modified)
        try:
            answer = await self.fetcher.fetch(
                feed.url, etag=etag, last_modified=last_modified, validators_of=feed.validators_of, delta=True, place=place
            )
        except HeldError as error:
            return self._held(feed, self._now(), error.until)
        except FetchError as error:
            return self._failed(feed, at, None, error.reason, "soft")
        at = self._now()
        conditional = answer.url == (feed.validators_of or feed.url) and bool(etag or last_modified)
        if answer.status == 304 and conditional:
            return self._unchanged(feed, at, answer, "not modified")
        if answer.status != 200 and not (answer.delta and conditional):
            return self._refused(feed, at, answer)
        if not full and feed.body_hash == body_hash(answer.body):
            return self._unchanged(_with_validators(feed, answer), at, answer, "nothing new")
        return await self._parsed(feed, at, answer, known)

    async def _parsed(self, feed: Feed, at: datetime, answer: Answer, known: Known) -> _Look | PollResult:
        if not answer.body.strip():
            return self._failed(feed, at, answer.status, "the answer is empty", "soft")
        broken = breaks_off(answer.body, answer.framed)
        if broken and (not answer.framed or feed.failures < BROKEN_LOOKS):
            return self._failed(feed, at, answer.status, "the feed breaks off" if answer.framed else "the body is cut short", "soft")
        stored = await known(feed.id)
        try:
            given = Input("feed", shown(feed.url), answer.body, feed.id)
            read = await self._workers.run(
                read_feed, answer, stored, feed.id, at, what=shown(feed.url), deadline=PARSE_SECONDS, given=given
            )
        except PutOffError as error:
            after = replace(feed, next_check=at + timedelta(seconds=schedule.FLOOR), last_polled=at)
            return PollResult(after, at, "waiting", answer.status, error.reason, error.reason, received_bytes=answer.received)
        except RefusedError as error:
            return self._unreadable(feed, at, answer, error)
        after = replace(_adopt_move(feed if broken else _with_validators(feed, answer), answer), hints=read.hints)
        return _Look(feed, after, at, replace(answer, body=b""), read, stored)

    async def _read(self, look: _Look) -> PollResult:
        """Hands in what is new in a feed, with its page where an entry lacks the text."""
        feed, after, at, answer, read = look.feed, look.after, look.at, look.answer, look.read
        entries = read.entries
        pages = await self._fetch_pages(entries.to_fetch, feed, at)
        seen = entries.ready + tuple(pages.entries)
        # The store knows entries whose page could not be had, too: to count them as new at each look would bring the looks ever closer.
        new = sum(1 for entry in seen if entry.key not in look.known)
        gap = not answer.delta and bool(look.known) and entries.seen > 1 and entries.keys.isdisjoint(look.known)
        plan = schedule.after_look(
            feed, at, new=new, seen=entries.seen, hints=read.hints, fresh_for=answer.fresh_for, gap=gap, whole=not answer.delta
        )
        if pages.left:
            plan = schedule.after_leaving_some(feed, plan, at, pages.left, hints=read.hints, fresh_for=answer.fresh_for)
        if pages.left or pages.again:
            # Without validators and hash, so that the next look gets the whole feed and finds them.
            after = replace(after, etag=None, last_modified=None, validators_of=None, body_hash=None)
        after = replace(after, title=read.title or feed.title, last_full_fetch=feed.last_full_fetch if answer.delta else at)
        why = plan.why + _told_of_move(feed, after)
        return PollResult(
            feed=_planned(after, at, plan),
            at=at,
            outcome="new" if any(entry.submission for entry in seen) else "nothing new",
            status=answer.status,
            why=why,
            entries=seen,
            refused=entries.refused + tuple(Refusal(shown(feed.url), problem) for problem in read.problems) + tuple(pages.refused),
            received_bytes=answer.received,
            gap=gap,
            announced=read.announced,
        )

    async def pushed(self, feed: Feed, answer: Answer, known: Known) -> PollResult:
        """What a feed's hub sent, read as an answer of the feed's own server is. The feed and its plan stay as they are, whatever came:
        what a push leaves out or breaks, the next look finds.
        """
        at, stored = self._now(), await known(feed.id)
        answer = replace(answer, url=feed.validators_of or feed.url)  # as looks have it: an entry's key may hang on it
        given = Input("feed", shown(feed.url), answer.body, feed.id)
        why = "pushed by the feed's hub; the next look stays as planned"
        try:
            read = await self._workers.run(
                read_feed, answer, stored, feed.id, at, what=shown(feed.url), deadline=PARSE_SECONDS, given=given
            )
        except RefusedError as error:
            return PollResult(feed, at, "failed", None, why, error.reason, received_bytes=answer.received, pushed=True)
        async with self._reading:
            pages = await self._fetch_pages(read.entries.to_fetch, feed, at)
        self._page_bytes.pop(feed.id, None)
        seen = read.entries.ready + tuple(pages.entries)
        return PollResult(
            feed=feed,
            at=at,
            outcome="new" if any(entry.submission for entry in seen) else "nothing new",
            status=None,
            why=why,
            entries=seen,
            refused=read.entries.refused + tuple(Refusal(shown(feed.url), problem) for problem in read.problems) + tuple(pages.refused),
            received_bytes=answer.received,
            pushed=True,
        )

    async def _fetch_pages(self, to_fetch: tuple[tuple[SeenEntry, Entry], ...], feed: Feed, at: datetime) -> _Fetched:
        """The pages of a feed's entries, as far as time and memory go."""
        self._page_bytes[feed.id] = 0
        gate, chosen = asyncio.Semaphore(PAGES_AT_ONCE), to_fetch[:PAGES_PER_POLL]
        tasks = [asyncio.create_task(self._fetch_page(seen, entry, feed, at, gate)) for seen, entry in chosen]
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=PAGES_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        done = _Fetched(left=len(to_fetch) - len(tasks))
        for (seen, _), outcome in zip(chosen, outcomes, strict=True):
            if outcome is None or isinstance(outcome, asyncio.CancelledError):
                done.left += 1
            elif isinstance(outcome, SeenEntry):
                done.entries.append(outcome)
            elif isinstance(outcome, RefusedError):
                later = isinstance(outcome, LaterError | HeldError | PutOffError)
                done.again += later
                done.refused.append(Refusal(outcome.what, f"{outcome.reason}; tried again at the next look" if later else outcome.reason))
                # A page that was not asked for, or waits to be read, has had no try.
                untried = isinstance(outcome, HeldError | PutOffError)
                done.entries.append(replace(seen, entry_hash="") if untried else replace(seen, refused=True))
            else:
                raise outcome
        return done

    async def _fetch_page(self, seen: SeenEntry, entry: Entry, feed: Feed, at: datetime, gate: asyncio.Semaphore) -> SeenEntry | None:
        """The entry with the text of its page, or of a long summary for want of it; None where memory has no room for it now."""
        async with gate:
            if self._page_bytes[feed.id] >= PAGES_BYTES or sum(self._page_bytes.values()) >= ALL_PAGES_BYTES:
                return None
            try:
                page = await self.pages.page(seen.url, own=self.fetcher.is_own(feed.url))
            except (LaterError, HeldError, PutOffError):
                raise
            except RefusedError:
                body = entry.content or entry.summary
                if body is None or not is_long_summary(body):
                    raise
                return replace(seen, submission=submission(entry, seen.url, body, feed_id=feed.id, at=at))
            self._page_bytes[feed.id] += sys.getsizeof(page.html)
            return replace(seen, submission=submission(entry, page.url, page.html, feed_id=feed.id, at=at))

    def _unchanged(self, feed: Feed, at: datetime, answer: Answer, outcome: str) -> PollResult:
        plan = schedule.after_look(feed, at, new=0, seen=0, hints=feed.hints, fresh_for=answer.fresh_for)
        after = _adopt_move(feed, answer)
        return PollResult(
            feed=_planned(after, at, plan),
            at=at,
            outcome="not modified" if outcome == "not modified" else "nothing new",
            status=answer.status,
            why=plan.why + _told_of_move(feed, after),
            received_bytes=answer.received,
        )

    def _refused(self, feed: Feed, at: datetime, answer: Answer) -> PollResult:
        """The result for a status that is no success."""
        status = answer.status
        if status in (429, 503) and answer.retry_after is not None:
            failures = feed.failures + 1
            plan = schedule.after_asked_to_wait(feed, at, answer.retry_after, failures=failures)
            until = at + schedule.bounded_wait(answer.retry_after)
            after = replace(feed, failures=failures, asked_to_wait_until=until, next_check=plan.next_check, last_polled=at)
            return PollResult(after, at, "waiting", status, plan.why, plan.why, grade="temporary")
        reason = f"the server answers {status_text(status)}"
        if status == 410 and feed.gone >= 1:
            plan = schedule.after_gone(feed, at)
            after = replace(_planned(feed, at, plan), gone=feed.gone + 1, failures=feed.failures + 1)
            return PollResult(after, at, "gone", status, plan.why, reason, grade="hard")
        after = replace(feed, gone=1) if status == 410 else feed
        return self._failed(after, at, status, reason, grade_of(status))

    def _unreadable(self, feed: Feed, at: datetime, answer: Answer, error: RefusedError) -> PollResult:
        """The result for a body that cannot be read as a feed.

        Where the feed was one before, a page in its place is a login, a consent wall or "back soon", and anything else a mishap.
        """
        grade: FailureGrade = "hard" if feed.last_full_fetch is None else "soft"
        reason = error.reason
        if isinstance(error, PoisonError) and error.again:
            grade = "soft"
        elif is_page(answer) and feed.last_full_fetch is not None:
            grade, reason = "temporary", f"{reason}, where a feed was before: a login, consent or maintenance page may stand in between"
        return self._failed(feed, at, answer.status, reason, grade)

    def _failed(self, feed: Feed, at: datetime, status: int | None, reason: str, grade: FailureGrade) -> PollResult:
        """A failure leaves the validators as they were: new ones would vouch for what was not read."""
        plan = schedule.after_failure(feed, at, failures=feed.failures + 1, grade=grade)
        after = replace(feed, failures=feed.failures + 1, next_check=plan.next_check, last_polled=at, asked_to_wait_until=None)
        return PollResult(after, at, "failed", status, plan.why, reason, grade=grade)

    def _held(self, feed: Feed, at: datetime, until: datetime) -> PollResult:
        """The result for a feed that was not asked, because its server asked another request to wait until then."""
        plan = schedule.after_asked_to_wait(feed, at, until - at)
        later = max(plan.next_check, feed.next_check or plan.next_check)
        return PollResult(replace(feed, asked_to_wait_until=plan.next_check, next_check=later), at, "waiting", None, plan.why, plan.why)


def _told_of_move(before: Feed, after: Feed) -> str:
    """A sentence where the feed's address was just replaced."""
    return f"; moved for good to {shown(after.url)}, as {ADOPT_MOVE_AFTER} looks agreed" if before.url != after.url else ""


def _with_validators(feed: Feed, answer: Answer) -> Feed:
    hashed = None if answer.delta else body_hash(answer.body)
    of = answer.url if answer.url != feed.url and (answer.etag or answer.last_modified) else None
    return replace(feed, etag=answer.etag, last_modified=answer.last_modified, validators_of=of, body_hash=hashed)


def _planned(feed: Feed, at: datetime, plan: schedule.Plan) -> Feed:
    """The feed after a look that did not fail."""
    return replace(feed, interval=plan.interval, next_check=plan.next_check, last_polled=at, failures=0, gone=0, asked_to_wait_until=None)


def _adopt_move(feed: Feed, answer: Answer) -> Feed:
    """Takes over the address of a permanent redirect once ADOPT_MOVE_AFTER looks agreed on it. An address with a login is never changed."""
    to = answer.permanent_redirect_to
    if to is None and feed.moved_to is None and not feed.moved_times:
        return feed
    if to is None or "@" in urlsplit(feed.url).netloc or "@" in urlsplit(to).netloc:
        return replace(feed, moved_to=None, moved_times=0)
    times = feed.moved_times + 1 if to == feed.moved_to else 1
    if times >= ADOPT_MOVE_AFTER:
        return replace(feed, url=to, moved_to=None, moved_times=0)
    return replace(feed, moved_to=to, moved_times=times)
