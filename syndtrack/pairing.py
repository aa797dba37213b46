"""From fingerprints to verified pairs: the candidate index, which follows the store, and the words of texts being compared."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from sys import maxsize

from syndtrack.matching.compare import compare
from syndtrack.matching.fingerprint import PARAMETERS, Fingerprint, Parameters, resemblance
from syndtrack.matching.index import CandidateIndex
from syndtrack.models import Match
from syndtrack.reading.cleaning import cleaning_version
from syndtrack.store.matches import Stated
from syndtrack.store.store import Store
from syndtrack.store.times import to_time
from syndtrack.words import Words, tokenise

BATCH = 500  # articles a transaction
WORDS_HELD = 3_000_000  # words of texts kept while pairs are compared: about 40 bytes each, 120 MB

ENOUGH_SAMPLES = 2  # of two articles of which neither points at the other; of others one is enough
MOST_REVISION_PAIRS = 12  # compared of two articles; two live tickers of 40 revisions each have 1,600
HEADLINE = 20  # characters of a headline, four words or more, that two articles do not share by accident

Transaction = Callable[[], AbstractContextManager[None]]
Progress = Callable[[str, int, int], None]  # what was done, to how many, of how many (0: not known)


def silently(*_: object) -> None:
    """The progress that nobody is told."""


def is_attested(one: Stated, other: Stated) -> bool:
    """Whether one of two publishers' articles says that it has something from the other: by a credit, a link, or the other's headline."""
    if one.publisher_id == other.publisher_id:
        return False
    if one.publisher_id in other.credited or other.publisher_id in one.credited:
        return True
    if one.article_id in other.linked or other.article_id in one.linked:
        return True
    return any(has_headline(a, b) or has_headline(b, a) for a in one.titles for b in other.titles)


def has_headline(title: str, headline: str) -> bool:
    """Whether a headline of some length stands in another one. Both are folded words, one space apart."""
    return len(headline) >= HEADLINE and headline.count(" ") >= 3 and f" {headline} " in f" {title} "


def current_parameters() -> Parameters:
    """What fingerprints are made with by this version of syndtrack and its rules."""
    return replace(PARAMETERS, cleaning=cleaning_version())


class Pairing:
    """Finds the pairs that share text. What it holds in memory follows what is stored."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._index = CandidateIndex()
        self._sequence = 0
        self._words: OrderedDict[int, Words] = OrderedDict()
        self._words_held = 0
        self._cleaned: set[int] = set()
        self._renewed = False  # whether what is stored was looked over for other parameters

    def cleaned(self, revision_id: int, words: Words, found: Fingerprint) -> None:
        """A revision was cleaned just now: its words are needed soon; with too few of them it is no candidate."""
        self._hold(revision_id, words)
        self._cleaned.add(revision_id)
        if not found.judgeable:
            self._index.discard(revision_id)

    def take_out(self, revisions: Sequence[int]) -> None:
        """These are no candidates any more; those whose own candidates may have changed by it are compared again. Inside a transaction."""
        for revision_id in revisions:
            self._index.discard(revision_id)
        self.store.matches.uncompare(self._index.unsettled())

    def match(
        self, transaction: Transaction, progress: Progress = silently, *, most: int = maxsize, among: Collection[int] | None = None
    ) -> bool:
        """Pairs of every article (at most so many, of these only) with a revision that was not compared yet; whether more may be left."""
        matches = self.store.matches
        with transaction():
            self.follow()
            matches.uncompare(self._index.unsettled())
            pending = matches.uncompared(most, among)
            matches.clear(pending)
        waiting = set(pending)
        for start in range(0, len(pending), BATCH):
            batch = pending[start : start + BATCH]
            with transaction():
                matches.save(batch, self._pairs(batch, waiting))
            waiting.difference_update(batch)
            progress("matched", start + len(batch), len(pending))
        return len(pending) == most

    def follow(self) -> None:
        """Bring the index up to what is stored. Revisions rank by first sight, so that the candidates depend on what is stored alone.

        What was made with other parameters is put back at first, to be cleaned and fingerprinted anew.
        """
        if not self._renewed:
            self.store.matches.renew(current_parameters())
            self._renewed = True
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
            r: self._index.candidates(Fingerprint.from_bytes(content).samples, at_least=1, revision_id=r) for r, content in prints.items()
        }
        article_of = self.store.matches.articles_of({c for each in proposed.values() for c, _ in each})
        stated = self.store.matches.stated({*revisions, *article_of.values()})
        for article, own in revisions.items():
            for revision in own:
                for candidate, hits in proposed.get(revision, ()):
                    other = article_of.get(candidate, article)
                    if other == article or (other in waiting and other > article):
                        continue
                    if hits < ENOUGH_SAMPLES and not is_attested(stated[article], stated[other]):
                        continue
                    a, b, pair = (article, other, (revision, candidate)) if article < other else (other, article, (candidate, revision))
                    found.setdefault((a, b), []).append(pair)
        for (a, b), pairs in found.items():
            best = self._best(sorted(set(pairs)), is_attested(stated[a], stated[b]))
            if best is not None:
                yield a, b, *best

    def _best(self, pairs: Sequence[tuple[int, int]], attested: bool) -> tuple[int, int, Match] | None:
        """Of the revisions of two articles, the pair that shares most."""
        verified = []
        for ra, rb in pairs if len(pairs) <= MOST_REVISION_PAIRS else self._likeliest(pairs):
            words_a, words_b = self._words_of(ra), self._words_of(rb)
            match = compare(words_a, words_b, attested=attested)
            if match is not None:
                verified.append((match.resemblance, match.shared_words, min(match.a_in_b, match.b_in_a), -ra, -rb, match))
        if not verified:
            return None
        *_, ra, rb, match = max(verified, key=lambda v: v[:5])
        return -ra, -rb, match

    def _likeliest(self, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """The pairs whose signatures resemble each other most, whatever the order in which articles and revisions came."""
        stored = self.store.matches.fingerprints_of({r for pair in pairs for r in pair})
        prints = {r: Fingerprint.from_bytes(content) for r, content in stored.items()}
        likely: list[tuple[float, bytes, bytes, int, int]] = []
        for ra, rb in pairs:
            first, second = sorted((stored[ra], stored[rb]))
            likely.append((-(resemblance(prints[ra], prints[rb]) or 0.0), first, second, ra, rb))
        return [(ra, rb) for *_, ra, rb in sorted(likely)[:MOST_REVISION_PAIRS]]

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

    def start_over(self) -> None:
        """Start over from what is stored: a transaction failed and memory may be ahead of it."""
        self._renewed = False
        self._index = CandidateIndex()
        self._sequence = 0
        self._words.clear()
        self._words_held = 0
        self._cleaned.clear()
