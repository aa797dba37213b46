"""From readings to edges: the way through the house, on one store.

    read -> recorded (article, revision, credits) -> cleaned (removals, fingerprint) -> matched (pairs) -> traced (edges, stories)

Every step marks in the store what is still to be done, so a process that dies anywhere goes on where it stopped. An archive is taken in
step by step; a poll takes all steps for its own articles in one transaction, and what follows from them for others (a publisher's lines
that turn out to be furniture, a habit of it) is caught up with in portions. The outcome depends on what is stored, not on the order of
arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from sys import maxsize
from typing import TypeVar

from syndtrack.errors import RefusedError
from syndtrack.groups import connected, groups
from syndtrack.matching.fingerprint import fingerprint
from syndtrack.models import Credit, Edge, Link, PollResult, Reading, Refusal, Submission, Verdict
from syndtrack.pairing import BATCH, Pairing, Progress, Transaction, current_parameters, silently
from syndtrack.provenance.alarms import alarm
from syndtrack.provenance.chains import stories
from syndtrack.provenance.tracing import SHOWN
from syndtrack.provenance.verdicts import CIRCLE, ITSELF
from syndtrack.publishers import Registry, fold
from syndtrack.reading.cleaning import clean
from syndtrack.reading.credits import find_credits
from syndtrack.reading.pages import read
from syndtrack.seeds import seed_publishers
from syndtrack.store.articles import Recorded, UncleanedRevision
from syndtrack.store.edges import Answer, StoryRow
from syndtrack.store.store import Store
from syndtrack.urls import registrable_domain, without_login
from syndtrack.words import tokenise

T = TypeVar("T")

HOUSES_LEARNED = timedelta(hours=1)  # a pass over all edges: 1.2 s where there are 150,000
# Articles that are caught up with before the next poll is stored, and those of a story that a poll traces with its own: half a second,
# mostly for tracing. Who adds to a larger story leaves it to be caught up with, once for all that came meanwhile: one of 300 takes seconds.
PORTION = 50


@dataclass(frozen=True, slots=True)
class ReadArticle:
    """An article, read: ready to be recorded."""

    submission: Submission
    reading: Reading
    credits: tuple[Credit, ...]


@cache
def seed_registry() -> Registry:
    """The publishers of the seeds. Credits are found with these alone, so that what is found does not depend on what is stored."""
    return Registry(dict(enumerate(seed_publishers())))


def read_article(submission: Submission) -> ReadArticle | Refusal:
    """Everything that can be told from one article alone; runs in worker processes, so a refusal is returned rather than raised."""
    try:
        reading = read(submission)
    except RefusedError as error:
        return Refusal(submission.origin or error.what, error.reason)
    credits = [_with_link(c, reading.links) for c in find_credits(reading.text, seed_registry())]
    return ReadArticle(submission, reading, (*credits, *_beside(reading, credits), *reading.stated, *submission.stated))


def _beside(reading: Reading, credits: Sequence[Credit]) -> Iterator[Credit]:
    """Credits of the byline and of captions that a page shows beside its text: wire credits of the one, media credits of the others."""
    known = {(c.kind, c.text) for c in credits}
    for where, line in reading.beside:
        for credit in find_credits(line, seed_registry()):
            if credit.kind == ("wire" if where == "byline" else "media") and (credit.kind, credit.text) not in known:
                known.add((credit.kind, credit.text))
                yield replace(credit, start=None, end=None, field=where)


def _with_link(credit: Credit, links: Sequence[Link]) -> Credit:
    """A credit line that is a link gets the link's address: `Via <a href=…>Zerohedge</a>`."""
    if credit.url is not None or credit.kind != "republication":
        return credit
    for link in links:
        if not link.anchor or link.anchor not in credit.text:
            continue
        if credit.name is None or fold(credit.name) in fold(link.anchor) or len(link.anchor) > len(credit.text) / 2:
            return replace(credit, url=link.url)
    return credit


class _TakenBack(Exception):  # noqa: N818 - carries a result out of a transaction that is rolled back; no error
    """Ends a pretended transaction."""


class Flow:
    """The steps after reading, on one store and with the candidate index that follows it."""

    def __init__(self, store: Store, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.store = store
        self._now = now
        self._houses_due = now() + HOUSES_LEARNED
        self._pairing = Pairing(store)

    # -- recording

    def record(self, articles: Sequence[ReadArticle]) -> list[Recorded]:
        """Store readings with their resolved credits, and count their publishers' lines. Inside a transaction."""
        store, recorded = self.store, []
        lines: list[tuple[int, str | None, str | None]] = []
        for article in articles:
            submission = article.submission
            publisher_id = store.publishers.of_article(submission.publisher, submission.url)
            credits = [(c, *store.publishers.of_credit(c)) for c in article.credits]
            done = store.articles.record(without_login(submission.url), publisher_id, submission.first_seen, article.reading, credits)
            lines += [(done.publisher_id, text, None) for text in done.current]
            lines += [(owner, None, text) for owner, text in done.left]
            recorded.append(done)
        store.lines.count(lines)
        return recorded

    def record_poll(self, result: PollResult, articles: Sequence[ReadArticle], refused: Sequence[Refusal]) -> int:
        """Store one poll whole, up to its edges, in one transaction. Returns the number of new articles and revisions.

        What it leaves to be done for other articles, and large stories that its own belong to, may be of any size; `catch_up` does it.
        """
        feed_id = result.feed.id
        with self._memory(), self.store.transaction():
            if articles:
                home = registrable_domain(result.feed.url)
                if any(registrable_domain(a.submission.url) == home for a in articles):
                    publisher_id = self.store.publishers.of_feed(result.feed.url, result.feed.title)
                    self.store.feeds.belongs(feed_id, publisher_id)
            recorded = self.record(articles) if articles else []
            # looked up afterwards: of two articles of one poll, the later may have shown that they are one
            by_url = {a.submission.url: self.store.lookups.article_id(a.submission.url) for a in articles}
            news = sum(r.is_new or r.is_new_revision for r in recorded)
            self.store.feeds.record([(result, news)])
            self._record_entries(result, by_url, refused)
            if articles:
                # what was found of an article's former text is not told of its new one
                self.store.edges.forget([r.article_id for r in recorded if r.is_new_revision])
                self._settle_own({a for a in by_url.values() if a is not None}, largest=PORTION)
            return news

    def record_polls(self, results: Sequence[PollResult]) -> None:
        """Store polls that brought no article, all in one transaction: most do not, and each in its own would cost twice as much."""
        with self.store.transaction():
            self.store.feeds.record([(result, 0) for result in results])
            for result in results:
                self._record_entries(result, {}, ())

    def _record_entries(self, result: PollResult, by_url: Mapping[str, int | None], refused: Sequence[Refusal]) -> None:
        """Store which entries a poll saw, their articles found by address, and what was refused."""
        feed_id, sightings = result.feed.id, []
        for entry in result.entries:
            article_id = by_url.get(entry.submission.url) if entry.submission else None
            refusal_counts = entry.refused or (entry.submission is not None and article_id is None)
            sightings.append((entry.key, entry.entry_hash, article_id, refusal_counts))
            if article_id is not None and entry.submission and entry.url != entry.submission.url:
                self.store.articles.add_redirect(article_id, without_login(entry.url), result.at)
        if sightings:
            self.store.feeds.sight(feed_id, sightings, result.at)
        for refusal in (*result.refused, *refused):
            self.store.articles.refuse(result.at, refusal.what, refusal.reason, feed_id)

    def pretend(self, article: ReadArticle, look: Callable[[int], T]) -> T:
        """What `look` sees, given the article's id, if the article were stored; then everything is taken back."""
        self.settle()
        try:
            with self.store.transaction():
                recorded = self.record([article])[0]
                self._settle_own({recorded.article_id})
                raise _TakenBack(look(recorded.article_id))
        except _TakenBack as seen:
            result: T = seen.args[0]
            return result
        finally:
            self._pairing.start_over()

    def forget(self, articles: Sequence[int]) -> None:
        """Take articles out, as if they had never come; what they touched is traced again."""
        with self._memory(), self.store.transaction():
            self._pairing.follow()
            self.store.edges.forgotten(articles, self.store.verdicts.of(articles, self.store.publishers).links())
            self.store.edges.clear(articles)
            self.store.matches.clear(articles)
            gone = [self.store.articles.delete(a) for a in articles]
            self.store.lines.count([(publisher_id, None, text) for publisher_id, text, _ in gone])
            self._pairing.take_out([r for *_, revisions in gone for r in revisions])
        self.settle()

    def judge(self, given: Sequence[Verdict]) -> list[Refusal]:
        """Take in verdicts and trace again what they touch; returns those that cannot hold. All or none are stored if this fails."""
        refused: dict[int, Refusal] = {}
        with self.store.transaction():
            while True:  # once more without each that cannot hold
                self.store.db.execute("SAVEPOINT given")
                fresh = self._give(n_verdict for n_verdict in enumerate(given) if n_verdict[0] not in refused)
                wrong = self._impossible(fresh)
                if not wrong:
                    break
                refused |= wrong
                self.store.db.execute("ROLLBACK TO given")
                self.store.publishers.load()  # publishers that only they named are gone
            self.store.db.execute("RELEASE given")
        self.settle()
        return [refused[n] for n in sorted(refused)]

    def _give(self, given: Iterable[tuple[int, Verdict]]) -> dict[int, int]:
        """Store verdicts and mark the stories that they touch. Returns the places of the new ones by their numbers in the store."""
        fresh = {}
        for place, verdict in given:
            number = self.store.verdicts.give(verdict)
            if number is not None:
                fresh[number] = place
                because = verdict.says if verdict.source is None else f"{verdict.says} {verdict.source}"
                self.store.verdicts.retrace(self.store.verdicts.touched(verdict.copy), because)
        return fresh

    def _impossible(self, fresh: Mapping[int, int]) -> dict[int, Refusal]:
        """Of verdicts just stored those that cannot hold: that close a circle, or name nobody in particular."""
        wrong = {}
        for kept in self.store.verdicts.linked(fresh, self.store.publishers):
            if kept.number in fresh and (why := kept.why_not if kept.why_not in (CIRCLE, ITSELF) else kept.ambiguous):
                wrong[fresh[kept.number]] = Refusal(f"{kept.verdict.copy} {kept.verdict.source or ''}".strip(), why)
        return wrong

    def take_back(self, copy: str, source: str | None) -> int:
        """Take back what was said of a pair, or (`source` None) that an article is an origin. Returns how many verdicts that were."""
        with self.store.transaction():
            touched = self.store.verdicts.touched(copy)
            gone = self.store.verdicts.take_back(copy, source)
            if gone:
                self.store.verdicts.retrace(touched, f"revoked {source or 'origin'}")
        self.settle()
        return gone

    def settle(self, progress: Progress = silently) -> None:
        """Do whatever is left to do, in transactions of bounded size: clean, match, trace."""
        with self._memory():
            self._prepare()
            self._clean(self.store.transaction, progress)
            self._pairing.match(self.store.transaction, progress)
            self._learn_habits()
            self._trace(self.store.transaction, progress)
        self.learn_houses()

    def catch_up(self) -> bool:
        """A portion of whatever is left to do, so that polls can be stored in between; whether there may be more.

        A publisher whose lines changed, and a story, are taken whole, however large.
        """
        if self.store.is_behind():  # no look of every few seconds takes the write lock from others for nothing
            with self._memory():
                if self._prepare(most=1):
                    return True
                for step in (self._clean, self._pairing.match, self._trace):
                    if step(self.store.transaction, most=PORTION):
                        return True
        if self._now() >= self._houses_due:
            self.learn_houses()
        return False

    def _settle_own(self, articles: Collection[int], largest: int = maxsize) -> None:
        """Clean, match and trace these articles, inside a transaction; what follows from it for others is left to be done.

        So are stories of more than `largest` articles: what is new in them has no edges until then.
        """
        self._pairing.follow()
        for publisher_id in self.store.lines.unlearned():
            if self.store.lines.articles(publisher_id) <= BATCH:
                self.store.lines.learn(publisher_id)
        self._clean(nullcontext, among=articles)
        self._pairing.match(nullcontext, among=articles)
        self._trace(nullcontext, among=articles, largest=largest)

    @contextmanager
    def _memory(self) -> Iterator[None]:
        """Where something fails, what is held in memory may be ahead of what is stored: it is started over."""
        try:
            yield
        except BaseException:
            self._pairing.start_over()
            raise

    def learn_houses(self) -> None:
        """Bring up to date which publishers print each other's pages as sites of one house do. Between polls this is done now and then."""
        self._houses_due = self._now() + HOUSES_LEARNED
        if self.store.owners.houses_are_stale():
            with self.store.transaction():
                self.store.owners.decide_by_behaviour()

    # -- the steps: each batch in a transaction as given, at most so much, of some articles only; whether more may be left

    def _prepare(self, most: int = maxsize) -> bool:
        """Follow what others stored; of so many publishers join what merged, and learn furniture; whether more are left."""
        with self.store.transaction():
            self._pairing.follow()
            unjoined = self.store.publishers.unjoined()
            for publisher_id in unjoined[:most]:
                self._join(publisher_id)
            unlearned = self.store.lines.unlearned()
            for publisher_id in unlearned[:most]:
                self.store.lines.learn(publisher_id)
        return max(len(unjoined), len(unlearned)) > most

    def _join(self, publisher_id: int) -> None:
        """Articles of a merged publisher become one where they had become one, had it been one publisher from the start."""
        done = self.store.articles.join_same(publisher_id)
        self.store.lines.count([(p, text, None) for p, text in done.current] + [(p, None, text) for p, text in done.left])
        self._pairing.take_out(done.gone)
        self.store.publishers.joined(publisher_id)

    def _clean(
        self, transaction: Transaction, progress: Progress = silently, *, most: int = maxsize, among: Collection[int] | None = None
    ) -> bool:
        """Removals and fingerprints of every revision that lacks them."""
        done = 0
        while done < most:
            with transaction():
                revisions = self.store.articles.uncleaned(min(BATCH, most), among)
                if not revisions:
                    return False
                self._clean_batch(revisions)
            done += len(revisions)
            progress("cleaned", done, 0)
        return True

    def _clean_batch(self, revisions: Sequence[UncleanedRevision]) -> None:
        """The same for some revisions, inside a transaction."""
        furniture = {p: self.store.lines.furniture(p) for p in {r.publisher_id for r in revisions}}
        cleaning = current_parameters().cleaning
        removals, judged = [], []
        for revision in revisions:
            cut = clean(revision.text, revision.credits, furniture[revision.publisher_id])
            words = tokenise(revision.text, cut)
            found = fingerprint(words, cleaning)
            self._pairing.cleaned(revision.revision_id, words, found)
            removals.append((revision.revision_id, cut))
            judged.append((revision.revision_id, found if found.judgeable else None))
        self.store.articles.save_removals(removals)
        self.store.matches.save_fingerprints(judged)
        self.store.articles.judge((r, "too little text" if f is None else "ok") for r, f in judged)

    def _trace(
        self,
        transaction: Transaction,
        progress: Progress = silently,
        *,
        most: int = maxsize,
        among: Collection[int] | None = None,
        largest: int = maxsize,
    ) -> bool:
        """Edges and stories of every story with an article that changed.

        Among some only, publishers' habits are left as they were, and stories of more than `largest` articles.
        """
        read_at, done = None, 0
        while done < most:
            with transaction():
                untraced = self.store.edges.untraced(min(BATCH, most), among)
                self.store.habits.count(untraced)  # once more: another process may have brought some since
                concluded = among is None and self.store.habits.conclude()
                if not untraced and not concluded:
                    return False
                if concluded:
                    read_at = None
                if read_at != self.store.others_wrote():
                    read_at = self.store.others_wrote()
                    registry = self.store.publishers.registry()
                components: list[list[int]] = []
                seen: set[int] = set()
                for article in untraced:
                    if article not in seen and len(seen) < min(BATCH, most):
                        component = connected(self.store, article, self.store.publishers, largest)
                        if among is not None and len(component) > largest:
                            among = set(among) - {article}
                            continue
                        components.append(component)
                        seen.update(component)
                # whatever else of these stories is untraced, as what another process brought: traced uncounted, it would never be counted
                self.store.habits.count(self.store.edges.untraced(maxsize, seen))
                self.store.edges.clear(sorted(seen))
                self._trace_components(components, registry)
            done += len(seen)
            progress("traced", done, 0)
        return True

    def _learn_habits(self) -> None:
        """What the articles that changed tell of their publishers, before any is traced; other stories that it concerns become untraced."""
        after, told = 0, [0]
        while told:
            with self.store.transaction():
                told = self.store.habits.untold(after, BATCH)
                self.store.habits.count(told)
                after = told[-1] if told else after
        with self.store.transaction():
            self.store.habits.conclude()

    def _trace_components(self, components: Sequence[Sequence[int]], registry: Registry) -> None:
        """Trace some components, loaded together."""
        edges: list[Edge] = []
        undecided: list[Answer] = []
        rows: list[StoryRow] = []
        for group in groups(self.store, components, registry, self.store.publishers):
            traced = group.trace(group.versions)
            edges += traced.edges
            for article in traced.undecided:
                likeliest = enumerate(traced.considered[article][:SHOWN])
                undecided += [(article, place, c.source, c.source_publisher, c.probability) for place, c in likeliest]
            publisher_of = {v.article_id: v.publisher_id for v in group.versions}
            rows += [StoryRow(s.articles, s.independent_origins, alarm(s, traced.edges, publisher_of)) for s in stories(traced.edges)]
        self.store.edges.save([a for each in components for a in each], edges, undecided, rows)
        self.store.history.log(components, self._now())
