"""From readings to edges: the way through the house, on one store.

    read -> recorded (article, revision, credits) -> cleaned (removals, fingerprint) -> matched (pairs) -> traced (edges, stories)

Every step marks in the store what is still to be done, so a process that dies anywhere goes on where it stopped, and an archive can be
taken in step by step while a poll does all of them in one transaction. The outcome depends on what is stored, not on the order of arrival.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from syndtrack.errors import RefusedError
from syndtrack.matching.compare import compare
from syndtrack.matching.fingerprint import Fingerprint, fingerprint
from syndtrack.matching.index import CandidateIndex
from syndtrack.models import Credit, Edge, Link, Match, PollResult, Reading, Refusal, Submission
from syndtrack.provenance.chains import stories
from syndtrack.provenance.tracing import trace_story
from syndtrack.publishers import Registry, fold
from syndtrack.reading.cleaning import clean
from syndtrack.reading.credits import find_credits
from syndtrack.reading.pages import read
from syndtrack.seeds import seed_publishers
from syndtrack.store.articles import Recorded, UncleanedRevision
from syndtrack.store.edges import StoryRow
from syndtrack.store.store import Store
from syndtrack.store.times import to_time
from syndtrack.urls import registrable_domain
from syndtrack.words import Words, tokenise

BATCH = 500  # articles a transaction when an archive is taken in
WORDS_HELD = 3_000_000  # words of texts kept while pairs are compared: about 40 bytes each, 120 MB

T = TypeVar("T")
Progress = Callable[[str, int, int], None]


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

    def __init__(self, store: Store) -> None:
        self.store = store
        self._index = CandidateIndex()
        self._sequence = 0
        self._words: OrderedDict[int, Words] = OrderedDict()
        self._words_held = 0
        self._cleaned: set[int] = set()

    # -- recording

    def record(self, articles: Sequence[ReadArticle]) -> list[Recorded]:
        """Store readings with their resolved credits, and count their publishers' lines. Inside a transaction."""
        store, recorded = self.store, []
        lines: list[tuple[int, str | None, str | None]] = []
        for article in articles:
            submission = article.submission
            publisher_id = store.publishers.of_article(submission.publisher, submission.url)
            credits = [(c, *store.publishers.of_credit(c)) for c in article.credits]
            done = store.articles.record(submission.url, publisher_id, submission.first_seen, article.reading, credits)
            lines += [(done.publisher_id, text, None) for text in done.current]
            lines += [(owner, None, text) for owner, text in done.left]
            recorded.append(done)
        store.lines.count(lines)
        return recorded

    def record_poll(self, result: PollResult, articles: Sequence[ReadArticle], refused: Sequence[Refusal]) -> int:
        """Store one poll whole, up to its edges, in one transaction. Returns the number of new articles and revisions."""
        try:
            with self.store.transaction():
                return self._record_poll(result, articles, refused)
        except BaseException:
            self._forget()
            raise

    def _record_poll(self, result: PollResult, articles: Sequence[ReadArticle], refused: Sequence[Refusal]) -> int:
        """The same, inside the transaction."""
        feed_id = result.feed.id
        home = registrable_domain(result.feed.url)
        if articles and any(registrable_domain(a.submission.url) == home for a in articles):
            self.store.publishers.of_feed(result.feed.url, result.feed.title)
        recorded = self.record(articles)
        # looked up afterwards: of two articles of one poll, the later may have shown that they are one
        by_url = {a.submission.url: self.store.lookups.article_id(a.submission.url) for a in articles}
        news = sum(r.is_new or r.is_new_revision for r in recorded)
        self.store.feeds.record(result, news)
        sightings = []
        for entry in result.entries:
            article_id = by_url.get(entry.submission.url) if entry.submission else None
            refusal_counts = entry.refused or (entry.submission is not None and article_id is None)
            sightings.append((entry.key, entry.entry_hash, article_id, refusal_counts))
            if article_id is not None and entry.submission and entry.url != entry.submission.url:
                self.store.articles.add_redirect(article_id, entry.url, result.at)
        self.store.feeds.sight(feed_id, sightings, result.at)
        for refusal in (*result.refused, *refused):
            self.store.articles.refuse(result.at, refusal.what, refusal.reason, feed_id)
        if articles:
            self._settle(nullcontext, lambda *_: None)
        return news

    def pretend(self, article: ReadArticle, look: Callable[[int], T]) -> T:
        """What `look` sees, given the article's id, if the article were stored; then everything is taken back."""
        self.settle()
        try:
            with self.store.transaction():
                recorded = self.record([article])[0]
                self._settle(nullcontext, lambda *_: None)
                raise _TakenBack(look(recorded.article_id))
        except _TakenBack as seen:
            result: T = seen.args[0]
            return result
        finally:
            self._forget()

    def forget(self, articles: Sequence[int]) -> None:
        """Take articles out, as if they had never come; what they touched is traced again."""
        try:
            with self.store.transaction():
                self._follow()
                self.store.edges.clear(articles)
                self.store.matches.clear(articles)
                gone = [self.store.articles.delete(a) for a in articles]
                self.store.lines.count([(publisher_id, None, text) for publisher_id, text, _ in gone])
                for *_, revisions in gone:
                    for revision_id in revisions:
                        self._index.discard(revision_id)
                self.store.matches.uncompare(self._index.unsettled())
        except BaseException:
            self._forget()
            raise
        self.settle()

    def settle(self, progress: Progress = lambda *_: None) -> None:
        """Do whatever is left to do, in transactions of bounded size: clean, match, trace."""
        try:
            self._settle(self.store.transaction, progress)
        except BaseException:
            self._forget()
            raise

    # -- the steps

    def _settle(self, transaction: Callable[[], AbstractContextManager[None]], progress: Progress) -> None:
        """Learn furniture, clean, match, trace; each batch in a transaction as given."""
        with transaction():
            self._follow()
            for publisher_id in self.store.lines.unlearned():
                self.store.lines.learn(publisher_id)
        self._clean(transaction, progress)
        self._match(transaction, progress)
        self._trace(transaction, progress)

    def _clean(self, transaction: Callable[[], AbstractContextManager[None]], progress: Progress) -> None:
        """Removals and fingerprints of every revision that lacks them."""
        done = 0
        while True:
            with transaction():
                revisions = self.store.articles.uncleaned(BATCH)
                if not revisions:
                    return
                self._clean_batch(revisions)
            done += len(revisions)
            progress("cleaned", done, 0)

    def _clean_batch(self, revisions: Sequence[UncleanedRevision]) -> None:
        """The same for some revisions, inside a transaction."""
        furniture = {p: self.store.lines.furniture(p) for p in {r.publisher_id for r in revisions}}
        removals, judged = [], []
        for revision in revisions:
            cut = clean(revision.text, revision.credits, furniture[revision.publisher_id])
            words = tokenise(revision.text, cut)
            self._hold(revision.revision_id, words)
            self._cleaned.add(revision.revision_id)
            found = fingerprint(words)
            removals.append((revision.revision_id, cut))
            judged.append((revision.revision_id, found if found.judgeable else None))
            if not found.judgeable:
                self._index.discard(revision.revision_id)
        self.store.articles.save_removals(removals)
        self.store.matches.save_fingerprints(judged)
        self.store.articles.judge((r, "too little text" if f is None else "ok") for r, f in judged)

    def _match(self, transaction: Callable[[], AbstractContextManager[None]], progress: Progress) -> None:
        """Pairs of every article with a revision that was not compared yet."""
        matches = self.store.matches
        with transaction():
            self._follow()
            matches.uncompare(self._index.unsettled())
            pending = matches.uncompared()
            matches.clear(pending)
        waiting = set(pending)
        for start in range(0, len(pending), BATCH):
            batch = pending[start : start + BATCH]
            with transaction():
                matches.save(batch, self._pairs(batch, waiting))
            waiting.difference_update(batch)
            progress("matched", start + len(batch), len(pending))

    def _follow(self) -> None:
        """Bring the index up to what is stored. Revisions rank by first sight, so that the candidates depend on what is stored alone."""
        rows = self.store.matches.fingerprints_since(self._sequence)
        if not rows:
            return
        prints = [(r, Fingerprint.from_bytes(content).samples, int(to_time(seen).timestamp())) for r, content, seen, _ in rows]
        if self._sequence:
            for revision_id, samples, rank in prints:
                self._index.add(revision_id, samples, rank)
        else:
            self._index.extend(prints)
        for revision_id, *_ in rows:
            if revision_id not in self._cleaned:  # cleaned by another process: other words than those held, perhaps
                self._drop(revision_id)
        self._cleaned.clear()
        self._sequence = rows[-1][-1]

    def _pairs(self, batch: Sequence[int], waiting: set[int]) -> Iterator[tuple[int, int, int, int, Match]]:
        """Verified pairs of some articles with all others; of two that both wait, the later one is left to find the earlier."""
        revisions = self.store.matches.revisions_of(batch)
        prints = self.store.matches.fingerprints_of([r for each in revisions.values() for r in each])
        found: dict[tuple[int, int], list[tuple[int, int]]] = {}
        proposed = {
            r: [c for c, _ in self._index.candidates(Fingerprint.from_bytes(content).samples, revision_id=r)]
            for r, content in prints.items()
        }
        article_of = self.store.matches.articles_of({c for each in proposed.values() for c in each})
        for article, own in revisions.items():
            for revision in own:
                for candidate in proposed.get(revision, ()):
                    other = article_of.get(candidate, article)
                    if other == article or (other in waiting and other > article):
                        continue
                    a, b, pair = (article, other, (revision, candidate)) if article < other else (other, article, (candidate, revision))
                    found.setdefault((a, b), []).append(pair)
        for (a, b), pairs in found.items():
            best = self._best(sorted(set(pairs)))
            if best is not None:
                yield a, b, *best

    def _best(self, pairs: Sequence[tuple[int, int]]) -> tuple[int, int, Match] | None:
        """Of the revisions of two articles, the pair that shares most."""
        verified = []
        for ra, rb in pairs:
            words_a, words_b = self._words_of(ra), self._words_of(rb)
            match = compare(words_a, words_b)
            if match is not None:
                verified.append((match.resemblance, match.shared_words, -ra, -rb, match))
        if not verified:
            return None
        _, _, ra, rb, match = max(verified, key=lambda v: v[:4])
        return -ra, -rb, match

    def _trace(self, transaction: Callable[[], AbstractContextManager[None]], progress: Progress) -> None:
        """Edges and stories of every story with an article that changed."""
        registry, done = None, 0
        while True:
            with transaction():
                untraced = self.store.edges.untraced(BATCH)
                if not untraced:
                    return
                registry = registry or self.store.publishers.registry()
                components: list[list[int]] = []
                seen: set[int] = set()
                for article in untraced:
                    if article not in seen and len(seen) < BATCH:
                        components.append(sorted(self.store.matches.component(article)))
                        seen.update(components[-1])
                self.store.edges.clear(sorted(seen))
                self._trace_components(components, registry)
            done += len(seen)
            progress("traced", done, 0)

    def _trace_components(self, components: Sequence[Sequence[int]], registry: Registry) -> None:
        """Trace some components, loaded together."""
        everyone = [a for each in components for a in each]
        versions = {v.article_id: v for v in self.store.edges.versions(everyone)}
        matches = self.store.matches.among(everyone)
        home = {a: n for n, each in enumerate(components) for a in each}
        pairs: dict[int, dict[tuple[int, int], Match]] = {}
        for pair, match in matches.items():
            pairs.setdefault(home[pair[0]], {})[pair] = match
        edges: list[Edge] = []
        rows: list[StoryRow] = []
        for number, component in enumerate(components):
            members = [versions[a] for a in component if a in versions]
            traced = trace_story(members, pairs.get(number, {}), registry)
            edges += traced.edges
            rows += [StoryRow(s.articles, s.independent_origins) for s in stories(traced.edges)]
        self.store.edges.save(everyone, edges, rows)

    # -- memory

    def _hold(self, revision_id: int, words: Words) -> None:
        """Keep a revision's words for a while."""
        self._drop(revision_id)
        self._words[revision_id] = words
        self._words_held += len(words)
        while self._words_held > WORDS_HELD:
            self._drop(next(iter(self._words)))

    def _drop(self, revision_id: int) -> None:
        """Keep them no longer."""
        held = self._words.pop(revision_id, None)
        if held is not None:
            self._words_held -= len(held)

    def _words_of(self, revision_id: int) -> Words:
        """A revision's words, made from its stored text unless held."""
        held = self._words.get(revision_id)
        if held is None:
            text, removals = self.store.articles.texts([revision_id])[revision_id]
            held = tokenise(text, removals)
        self._hold(revision_id, held)
        return held

    def _forget(self) -> None:
        """Start over from what is stored: a transaction failed and memory may be ahead of it."""
        self._index = CandidateIndex()
        self._sequence = 0
        self._words.clear()
        self._words_held = 0
        self._cleaned.clear()
