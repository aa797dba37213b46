"""The Python API, and the one place where the parts are wired together.

from syndtrack import open_tracker

with open_tracker("news.db") as tracker:
    tracker.add(["https://example.org/feed.xml"])
    tracker.poll()
    for row in tracker.report("duplicates"):
        print(row["copy"], "<-", row["source"])
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from syndtrack.config import Settings, load_settings
from syndtrack.errors import GivenUpError, RefusedError, UsageError
from syndtrack.models import Refusal, Submission, Verdict
from syndtrack.owners import TrustAnswer
from syndtrack.quarantine import Quarantined
from syndtrack.registrar import Registrar
from syndtrack.reports import REPORTS
from syndtrack.reports.chain import InspectRecord, TraceRecord, chain_path, inspect_record, trace_record, without_address
from syndtrack.reports.verdicts import MAX_LINE, called, read_record, verdict_of, verdict_records
from syndtrack.seeds import seed_publishers
from syndtrack.store.lookups import Row
from syndtrack.store.owners import Site
from syndtrack.store.store import Store
from syndtrack.urls import NOWHERE, is_http, is_nowhere, shown

# Imported where they are used, since look-ups use none of them: the network's parts take 0.5 s of CPU, the rules of reading as much.
if TYPE_CHECKING:
    from syndtrack.archives import Paths
    from syndtrack.flow import Flow, ReadArticle
    from syndtrack.metrics import Metrics
    from syndtrack.pairing import Progress
    from syndtrack.reports.explain import ExplanationRecord
    from syndtrack.scheduler import PollSummary, Scheduler

T = TypeVar("T")

NOT_STORED = "no such article is stored; `syndtrack search WORDS` finds what is"


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What taking in archives came to: articles new, with a new text, and known; what was refused."""

    new: int
    changed: int
    unchanged: int
    refused: tuple[Refusal, ...]


def utc_now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


def open_tracker(db: Path | str | None = None, settings: Settings | None = None, *, now: Callable[[], datetime] = utc_now) -> Tracker:
    """Open the database of a tracker, making it where there is none. `db` overrules the settings. Raises StoreError, UsageError."""
    settings = settings or load_settings()
    return Tracker(settings if db is None else replace(settings, db=Path(db)), now)


class Tracker:
    """Feeds, articles and who copied whom, in one database. Used by one thread at a time."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = utc_now, *, read_only: bool = False, late: bool = False) -> None:
        """Open the database. Raises StoreError where it cannot be used, which with `late` whatever needs it first does.

        `read_only`: for look-ups, without waiting for whoever writes. `late`: opened, and made, only when there is something to put in.
        """
        self.settings = settings
        self._now = now
        self._read_only = read_only
        if not late:
            self.store  # noqa: B018 - opens it

    @cached_property
    def store(self) -> Store:
        """The database."""
        store = Store(str(self.settings.db), read_only=self._read_only)
        if not self._read_only and store.publishers.is_empty():
            with store.transaction():
                store.publishers.seed(seed_publishers())
        return store

    @property
    def _is_made(self) -> bool:
        """Whether there is a database, open or not."""
        return "store" in vars(self) or self.settings.db.exists()

    @cached_property
    def publishers(self) -> Registrar:
        """The publishers, to look up and to correct."""
        return Registrar(self.store, self._settle, self._now, self._ask_trust)

    @cached_property
    def quarantine(self) -> Quarantined:
        """Inputs that were too much for a worker, to look up, read again or drop."""
        return Quarantined(self.store, self._now)

    @classmethod
    def in_memory(cls, settings: Settings) -> Self:
        """A tracker that leaves nothing behind."""
        return cls(replace(settings, db=Path(":memory:")))

    @cached_property
    def _flow(self) -> Flow:
        """The steps after reading."""
        from syndtrack.flow import Flow  # noqa: PLC0415 - above

        return Flow(self.store, self._now)

    def _settle(self) -> None:
        """Do whatever is left to do after reading."""
        self._flow.settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        if "store" in vars(self):
            self.store.close()

    # -- feeds

    def add(self, urls: Iterable[str]) -> list[Refusal]:
        """Subscribe to feeds, twice is the same as once; returns what is no address, and as a remark what is subscribed already."""
        return self._subscribe([(url.strip(), None) for url in urls])

    def discover(self, urls: Iterable[str]) -> tuple[list[str], list[Refusal]]:
        """The feeds that sites announce on their pages (an address that is a feed is its own), and what was refused."""
        from syndtrack.network import discover_all  # noqa: PLC0415 - above

        return asyncio.run(discover_all(urls, self.settings, self.store, self._now))

    def _ask_trust(self, sites: Sequence[Site]) -> list[TrustAnswer]:
        """What sites say in their trust.txt."""
        from syndtrack.network import ask_trust  # noqa: PLC0415 - above

        return asyncio.run(ask_trust(sites, self.settings, self.store, self._now)) if sites else []

    def import_feeds(self, path: Path | str) -> tuple[int, list[Refusal]]:
        """Subscribe to the feeds of an OPML file: how many are new, and what was refused or known. Raises UsageError if it is none."""
        from syndtrack.polling.subscriptions import read_subscriptions  # noqa: PLC0415 - above

        feeds = [(f.url, f.title) for f in read_subscriptions(Path(path))]
        refused = self._subscribe(feeds)
        return len(feeds) - len(refused), refused

    def feeds(self) -> list[Row]:
        """Subscriptions with their health."""
        return list(self.store.lookups.feeds())

    def explain(self, url: str) -> Row:
        """The whole story of one feed (its address, or a part that no other has): how it is, what it asks for, its last polls, what comes
        next and why. Raises UsageError where no feed is meant, or several.
        """
        from syndtrack.polling.explaining import explain  # noqa: PLC0415 - above
        from syndtrack.polling.hosts import host_names  # noqa: PLC0415 - above

        feed = self.store.feeds.find(url)
        now = self._now()
        waits, agreed = self.store.hosts.asked_to_wait(host_names(feed.url), now), self.store.websub.of_feed(feed.id)
        return explain(feed, *self.store.feeds.history(feed.id), waits, now, agreed=agreed)

    def _subscribe(self, feeds: Sequence[tuple[str, str | None]]) -> list[Refusal]:
        """Subscribe to addresses with titles; what is subscribed already is `partly` refused: whoever asked for it has it."""
        refused = [Refusal(shown(url), "not an http or https address") for url, _ in feeds if not is_http(url)]
        if len(refused) == len(feeds):
            return refused
        with self.store.transaction():
            for url, title in feeds:
                if is_http(url) and not self.store.feeds.add(url, title, self._now()):
                    refused.append(Refusal(shown(url), "subscribed already", partly=True))
        return refused

    # -- polling

    def poll(self, everything: bool = False, progress: Progress = lambda *_: None) -> PollSummary:
        """One pass over the feeds that are due, or over all but those whose servers asked to wait. Each is stored in one transaction."""

        def told(what: str, done: int, total: int) -> None:
            progress(what, done, total)
            if self.store.leaving.is_set():  # between two steps of what follows the polls, which may be many
                raise GivenUpError("told to stop")

        async def once() -> PollSummary:
            async with self.scheduler() as scheduler:
                return await scheduler.round(everything, told)

        return asyncio.run(once())

    @asynccontextmanager
    async def scheduler(self, metrics: Metrics | None = None) -> AsyncIterator[Scheduler]:
        """A scheduler with its connections and worker processes. While it lives, its own thread alone uses this tracker's database."""
        from syndtrack.network import connected  # noqa: PLC0415 - above
        from syndtrack.scheduler import Scheduler  # noqa: PLC0415 - above

        with self.store.waiting_again(), ThreadPoolExecutor(1, "store") as thread, self.store.waiting_ends():
            async with connected(self.settings, self.store, thread, self._now) as (poller, workers):
                public_url = self.settings.public_url
                scheduler = Scheduler(self._flow, poller, workers, thread, self._now, metrics=metrics, public_url=public_url)
                with self.store.waiting_ends():  # before the connections are closed, which the thread has a part in
                    yield scheduler
                    with suppress(GivenUpError):
                        await scheduler.leave()

    # -- archives

    def ingest(self, paths: Paths, progress: Progress = lambda *_: None) -> IngestSummary:
        """Take in archives of articles: one or several. Their order does not matter, twice is as once. Raises UsageError for a bad path."""
        summary = asyncio.run(self._ingest(paths, progress))
        if self._is_made:
            self._flow.settle(progress)  # outside the event loop, which would put off an interruption until its end
        return summary

    async def _ingest(self, paths: Paths, progress: Progress) -> IngestSummary:
        """The same; what comes next is read while what came before is stored."""
        from syndtrack.intake import read_ahead, store_aside  # noqa: PLC0415 - above

        counts, refused = {"new": 0, "changed": 0, "unchanged": 0}, list[Refusal]()
        waiting: list[ReadArticle | Refusal] = []  # what was refused before the first article, which makes the database
        async with aclosing(read_ahead(paths, self._now())) as batches:
            async for batch in batches:
                waiting += batch.each
                if self._is_made or not all(isinstance(r, Refusal) for r in waiting):
                    await store_aside(self.store, self._record_batch, waiting, counts)
                    waiting = []
                refused += [r for r in batch.each if isinstance(r, Refusal)]
                progress(f"read {batch.path}", batch.number, 0)
        return IngestSummary(counts["new"], counts["changed"], counts["unchanged"], tuple(refused))

    def _record_batch(self, each: Sequence[ReadArticle | Refusal], counts: dict[str, int]) -> None:
        """Record in one transaction what was read of a batch, and what was not."""
        with self.store.transaction():
            for recorded in self._flow.record([r for r in each if not isinstance(r, Refusal)]):
                counts["new" if recorded.is_new else "changed" if recorded.is_new_revision else "unchanged"] += 1
            for refusal in each:
                if isinstance(refusal, Refusal):
                    self.store.articles.refuse(self._now(), refusal.what, refusal.reason)

    def forget(self, urls: Iterable[str]) -> list[Refusal]:
        """Take articles out of the database, as if they had never come; returns those that are not in it."""
        found, refused = set(), []
        for url in urls:
            article_id = self.store.lookups.article_id(url)
            if article_id is None:
                refused.append(Refusal(shown(url), NOT_STORED))
            else:
                found.add(article_id)
        self._flow.forget(sorted(found))
        return refused

    # -- a person's word

    def judge(self, records: Iterable[Mapping[str, object]]) -> list[Refusal]:
        """Take in verdicts and trace again what they touch; returns those that could not be used.

        `copy` is an address, `source` an address or a publisher's name, `says` confirm, reject, or origin (then without a source); `by`,
        `note` and `at` if wanted.
        """
        return self._judge((called(record, number), record) for number, record in enumerate(records, 1))[1]

    def import_verdicts(self, path: Path) -> tuple[int, list[Refusal]]:
        """Take in verdicts as `verdicts` gives them, one JSON object a line: how many could be used, and what was refused, by FILE:LINE.

        Raises UsageError for a file that cannot be opened.
        """
        from syndtrack.archives import wide  # noqa: PLC0415 - above

        try:
            with path.open("rb") as lines:
                if reason := wide(lines.peek(4)):  # a pipe cannot be read from its start again
                    return 0, [Refusal(f"{path}:1", reason)]
                bounded = iter(lambda: lines.readline(MAX_LINE + 1), b"")
                return self._judge((f"{path}:{number}", line) for number, line in enumerate(bounded, 1) if line.strip())
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}") from error

    def _judge(self, records: Iterable[tuple[str, object]]) -> tuple[int, list[Refusal]]:
        """Take in verdicts, each with what names it: how many could be used, and the others."""
        now, given, refused = self._now(), list[tuple[str, Verdict]](), list[Refusal]()
        for what, record in records:
            try:
                given.append((what, verdict_of(read_record(record, what) if isinstance(record, bytes) else record, now, what)))
            except RefusedError as error:
                refused.append(Refusal(error.what, error.reason))
        impossible = self._flow.judge([verdict for _, verdict in given]) if given else []
        said = {f"{v.copy} {v.source or ''}".strip(): what for what, v in reversed(given)}
        refused += [Refusal(said.get(r.what, r.what), r.reason) for r in impossible]
        return len(given) - len(impossible), refused

    def take_back(self, copy: str, source: str | None) -> int:
        """Take back what was said of a pair, or (`source` None) that an article is an origin. Returns how many verdicts that were."""
        return self._flow.take_back(copy, source)

    def verdicts(self) -> list[Row]:
        """What persons said, the oldest first, and whether it holds."""
        with self.store.snapshot():
            return verdict_records(self.store.verdicts.all(self.store.publishers.registry()))

    def history(self, url: str | None = None, limit: int = 100) -> list[Row]:
        """What changed in the sources of an article, the oldest first; without one what changed last. Raises UsageError."""
        if url is None:
            return self.store.history.latest(limit)
        article_id = self.store.lookups.article_id(url)
        if article_id is None:
            raise UsageError(f"{shown(url)}: {NOT_STORED}")
        return self.store.history.of(article_id)

    # -- look-ups

    def inspect(self, path: str) -> Iterator[InspectRecord | Refusal]:
        """What the articles of a file say of themselves, without storing anything. A file of plain text or HTML is one article."""
        from syndtrack.archives import read_any  # noqa: PLC0415 - above
        from syndtrack.flow import read_article  # noqa: PLC0415 - above

        for article in read_any(path, self._now()):
            read = article if isinstance(article, Refusal) else read_article(article)
            yield read if isinstance(read, Refusal) else _inspected(_placed(read))

    def trace(self, what: str, *, explain: bool = False) -> TraceRecord:
        """The provenance of a stored article (its address in any form), or of a text or file that is not stored. Raises UsageError.

        With `explain`, the story is traced again in memory and `explanation` tells of each hop what was weighed and what would change it.
        """
        if is_http(what):
            with self.store.snapshot():
                return traced_record(self.store, self._stored(what), explain=explain)
        from syndtrack.archives import read_single  # noqa: PLC0415 - above

        return self._trace_unstored(read_single(what, self._now()), explain)

    def _stored(self, url: str) -> int:
        """The article behind an address. Raises UsageError."""
        article_id = self.store.lookups.article_id(url)
        if article_id is None:
            raise UsageError(f"{shown(url)}: {NOT_STORED}")
        return article_id

    def export(self, what: str, form: str) -> dict[str, Any]:
        """A trace for other programs: `prov` is W3C PROV-JSON, `jsonld` schema.org. Raises UsageError, as `trace` does."""
        from syndtrack.matching.fingerprint import PARAMETERS  # noqa: PLC0415 - above
        from syndtrack.reports.exports import prov_json, schema_jsonld  # noqa: PLC0415 - above

        if form not in ("prov", "jsonld"):
            raise UsageError(f"no form {form!r}; there are prov, jsonld")
        record = self.trace(what)
        return schema_jsonld(record) if form == "jsonld" else prov_json(record, ran=self._now(), parameters=asdict(PARAMETERS))

    def graph(self, what: str, form: str) -> str:
        """The whole story of an article or of a text for graph programs: `dot` (Graphviz) or `graphml`. Raises UsageError."""
        from syndtrack.archives import read_single  # noqa: PLC0415 - above
        from syndtrack.reports.graphs import dot, graphml, story_graph  # noqa: PLC0415 - above

        if form not in ("dot", "graphml"):
            raise UsageError(f"no form {form!r}; there are dot, graphml")
        if is_http(what):
            with self.store.snapshot():
                story = story_graph(self.store.lookups, self._stored(what))
        else:
            story = self._pretended(read_single(what, self._now()), lambda a: story_graph(self.store.lookups, a, stored=False))
        return dot(story) if form == "dot" else graphml(story)

    def trace_text(self, text: str, *, explain: bool = False) -> TraceRecord:
        """The provenance of a text that is not stored."""
        return self._trace_unstored(Submission(url=NOWHERE + "text", first_seen=self._now(), text=text), explain)

    def _trace_unstored(self, submission: Submission, explain: bool) -> TraceRecord:
        """The record of a text that is not stored."""
        look = self.store.lookups
        return self._pretended(submission, lambda a: without_address(traced_record(self.store, a, explain=explain), look, a))

    def _pretended(self, submission: Submission, look: Callable[[int], T]) -> T:
        """Pretend to store an article, look, and take everything back."""
        from syndtrack.flow import read_article  # noqa: PLC0415 - above

        read = read_article(submission)
        if isinstance(read, Refusal):
            raise RefusedError(read.what, read.reason)
        return self._flow.pretend(_placed(read), look)

    def report(self, name: str) -> Iterator[Row]:
        """The rows of one of REPORTS. Raises UsageError for another name."""
        if name not in REPORTS:
            raise UsageError(f"no report {name!r}; there are {', '.join(REPORTS)}")
        rows: Iterator[Row] = getattr(self.store.lookups, name)()
        return rows

    def search(self, query: str, limit: int = 20) -> list[Row]:
        """Articles that hold all words of the query, the best first."""
        return self.store.lookups.search(query, limit)


def traced_record(store: Store, article_id: int, *, explain: bool) -> TraceRecord:
    """The provenance of a stored article, explained if wanted. To be called in a snapshot or transaction."""
    record = trace_record(store.lookups, article_id)
    if explain:
        record["explanation"] = explanations(store, article_id)
    return record


def explanations(store: Store, article_id: int, check: Callable[[Sequence[int]], None] = lambda _: None) -> list[ExplanationRecord]:
    """The hops of an article's chain, explained. To be called in a snapshot or transaction.

    `check` is given the articles that would be traced again, before they are loaded, and may raise.
    """
    from syndtrack.groups import group_of  # noqa: PLC0415 - above
    from syndtrack.reports.explain import explanation_records  # noqa: PLC0415 - above

    group = group_of(store, article_id, check)
    path, _ = chain_path(store.lookups, article_id)
    return explanation_records(store.lookups, path, group.versions, group.publishers, group.trace)


def _inspected(read: ReadArticle) -> InspectRecord:
    """A reading as a record; only rules clean it, for no publisher's furniture is known."""
    from syndtrack.flow import seed_registry  # noqa: PLC0415 - above
    from syndtrack.reading.cleaning import clean  # noqa: PLC0415 - above

    placed = [c for c in read.credits if c.start is not None]
    url = None if is_nowhere(read.submission.url) else read.submission.url
    return inspect_record(url, read.reading, read.credits, clean(read.reading.text, placed), seed_registry())


def _placed(read: ReadArticle) -> ReadArticle:
    """Without the addresses that relative links become where nobody knows the page's own."""
    credits = tuple(replace(c, url=None) if c.url and is_nowhere(c.url) else c for c in read.credits)
    links = tuple(link for link in read.reading.links if not is_nowhere(link.url))
    canonical = None if is_nowhere(read.reading.canonical or "") else read.reading.canonical
    return replace(read, credits=credits, reading=replace(read.reading, links=links, canonical=canonical))
