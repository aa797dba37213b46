"""Why a copy's source was chosen: the answers that were weighed, quoted from both texts, and what would have made another one win.

What would change an answer is found by changing that one thing and tracing again, not by reading it off the weights: taking a credit away
may bring the same source back by its text, and the best answers of a whole story hang together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from syndtrack.models import Credit, Evidence, Removal, Version
from syndtrack.plurals import counted
from syndtrack.provenance.features import LAGS
from syndtrack.provenance.tracing import Considered, StoryTrace
from syndtrack.words import tokenise

# Of a larger story only the copy and its likeliest sources are traced again for each thing changed: 0.1 seconds each time, 40 take 0.9.
WHOLE_STORY = 12
# A passage of fewer words is no quotation.
LEAST_QUOTED = 3
LONGEST_QUOTE = 300  # code points
# So many changes of a time are tried for one article, the smallest first.
SHIFTS = 6
LONGEST_SHIFT = timedelta(days=7)
ALMOST = timedelta(minutes=1)

Trace = Callable[[Sequence[Version]], StoryTrace]


@dataclass(frozen=True, slots=True)
class Quotation:
    """A passage of a source's text. `start` and `end` lie in its newest text; None where only an older one has it."""

    text: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One reason, with the passage of the candidate that it is about, where there is one."""

    evidence: Evidence
    source: Quotation | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that was weighed for a copy, as `Considered`, with quotations from both texts."""

    considered: Considered
    exhibits: tuple[Exhibit, ...]

    @property
    def key(self) -> tuple[int | None, int | None]:
        """What tells an answer from the others: the source, or the publisher named, or neither."""
        return self.considered.source, self.considered.source_publisher


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One thing changed and the story traced again: the answer then, if it is drawn as an edge, and how sure it is.

    `source` and `publisher` are both None where the copy then has no source; `undecided` tells whether it is left open.
    `before` is what the answer of today was worth, `after` what it would be worth then.
    """

    change: str
    article: int | None
    source: int | None
    publisher: int | None
    undecided: bool
    before: float
    after: float
    changes: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one article's source was found.

    `answers` are best first; `chosen` is the place of the one that was drawn, or for an article without an edge of the best. `passages` are
    the longest that the copy has in common with the chosen article and not with the runner-up, and the other way round.
    `among` is the number of articles that were traced again for each thing changed.
    """

    article: int
    answers: tuple[Answer, ...]
    chosen: int
    undecided: bool
    drawn: bool
    passages: tuple[Quotation | None, Quotation | None]
    what_ifs: tuple[WhatIf, ...]
    among: int


def explain(versions: Sequence[Version], article: int, traced: StoryTrace, trace: Trace) -> Explanation:
    """Explain the answer for one article of a story. `traced` is the story's trace, `trace` traces other versions of the same story."""
    by_id = {v.article_id: v for v in versions}
    copy = by_id[article]
    answers = tuple(Answer(c, tuple(_exhibits(c, by_id))) for c in traced.considered[article])
    drawn = next(((e.source, e.source_publisher) for e in traced.edges if e.copy == article), None)
    chosen = next((n for n, a in enumerate(answers) if a.key == drawn), 0)
    rivals = [a for n, a in enumerate(answers) if n != chosen]
    runner_up = rivals[0] if rivals else None
    story = _neighbourhood(copy, versions, answers)
    base = traced if len(story) == len(versions) else trace(story)
    tried: list[WhatIf] = []
    if _outcome(base, article) == _outcome(traced, article) and len(story) > 1:
        pair = [answers[chosen], *([runner_up] if runner_up else [])]
        tried = list(_what_ifs(copy, story, pair, base, trace))
    return Explanation(
        article=article,
        answers=answers,
        chosen=chosen,
        undecided=article in traced.undecided,
        drawn=drawn is not None,
        passages=_passages(copy, answers[chosen], runner_up, by_id),
        what_ifs=tuple(tried),
        among=len(story),
    )


# -- quotations


def _exhibits(answer: Considered, by_id: dict[int, Version]) -> Iterator[Exhibit]:
    """The reasons of an answer with what the candidate's text has to each of them."""
    source = by_id.get(answer.source) if answer.source is not None else None
    for evidence in answer.evidence:
        quoted = source is not None and evidence.start is not None and evidence.kind in ("overlap", "innovation")
        yield Exhibit(evidence, quotation(evidence.text, source.texts) if quoted and source is not None else None)


def quotation(passage: str, texts: Sequence[str]) -> Quotation | None:
    """The longest part of a passage, word by word, in the first of some texts (newest first) that holds any of it."""
    sought = tokenise(passage).hashes
    for age, text in enumerate(texts):
        words = tokenise(text)
        first, size = _longest_run(words.hashes, sought)
        if size >= min(LEAST_QUOTED, len(sought)) and size:
            start, end = int(words.starts[first]), int(words.ends[first + size - 1])
            return Quotation(text[start:end], None if age else start, None if age else end)
    return None


def _longest_run(words: npt.NDArray[np.uint32], sought: npt.NDArray[np.uint32]) -> tuple[int, int]:
    """Where the longest run of words that also stands in a passage begins, the first of several, and its length.

    A step for each word of the passage, whatever the words: difflib takes 3 seconds where a text repeats one word 100,000 times.
    """
    runs, best = np.zeros(len(words) + 1, np.int64), (0, 0)
    for word in sought:
        runs[1:] = np.where(words == word, runs[:-1] + 1, 0)
        end = int(np.argmax(runs))
        size = int(runs[end])
        best = min(best, (-size, end - size))
    return best[1], -best[0]


def _passages(
    copy: Version, winner: Answer, runner_up: Answer | None, by_id: dict[int, Version]
) -> tuple[Quotation | None, Quotation | None]:
    """What the copy shares with one of two candidates and not with the other, the longest passage of each."""
    if runner_up is None or winner.considered.source is None or runner_up.considered.source is None:
        return None, None
    one, other = by_id[winner.considered.source], by_id[runner_up.considered.source]
    return _only_in(copy, one, other), _only_in(copy, other, one)


def _only_in(copy: Version, one: Version, other: Version) -> Quotation | None:
    """The longest passage of a copy, removed lines too, that one article holds and another does not; quoted from the copy."""
    words, text = tokenise(copy.texts[0]), copy.texts[0]
    runs = words.shingles
    held = np.isin(runs, np.concatenate([tokenise(t).shingles for t in one.texts]))
    held &= ~np.isin(runs, np.concatenate([tokenise(t).shingles for t in other.texts]))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], held.astype(np.int8), [0]])))
    if not len(edges):
        return None
    starts, ends = edges[::2], edges[1::2]
    at = int(np.argmax(ends - starts))
    start, end = int(words.starts[starts[at]]), int(words.ends[words.shingle_ends[ends[at] - 1] - 1])
    end = min(end, start + LONGEST_QUOTE)
    return Quotation(text[start:end], start, end)


# -- what would change it


def _neighbourhood(copy: Version, versions: Sequence[Version], answers: Iterable[Answer]) -> list[Version]:
    """The whole story, or of a large one the copy with the articles of its likeliest answers."""
    if len(versions) <= WHOLE_STORY:
        return list(versions)
    likely = [a.considered.source for a in answers if a.considered.source is not None][: WHOLE_STORY - 1]
    kept = {copy.article_id, *likely}
    return [v for v in versions if v.article_id in kept]


def _outcome(traced: StoryTrace, article: int) -> tuple[bool, tuple[int | None, int | None]]:
    """Whether an article is left undecided, and the source of its first edge."""
    edge = next((e for e in traced.edges if e.copy == article), None)
    return article in traced.undecided, (None, None) if edge is None else (edge.source, edge.source_publisher)


def _worth(traced: StoryTrace, article: int, answer: tuple[int | None, int | None]) -> float:
    """How likely an answer is."""
    return next((c.probability for c in traced.considered[article] if (c.source, c.source_publisher) == answer), 0.0)


def _what_ifs(copy: Version, story: Sequence[Version], answers: Sequence[Answer], base: StoryTrace, trace: Trace) -> Iterator[WhatIf]:
    """Every single thing taken away from the copy or its two best answers, and for times the smallest change that tells."""
    was = _outcome(base, copy.article_id)
    today = answers[0].key

    def tried(change: str, article: int | None, altered: Sequence[Version]) -> WhatIf:
        after = trace(altered)
        undecided, key = _outcome(after, copy.article_id)
        before, then = _worth(base, copy.article_id, today), _worth(after, copy.article_id, today)
        return WhatIf(change, article, *key, undecided, before, then, (undecided, key) != was)

    for change, article, altered in _taken_away(copy, story, answers):
        yield tried(change, article, altered)
    by_id = {v.article_id: v for v in story}
    sources = [by_id[a.considered.source] for a in answers if a.considered.source in by_id]
    for number, source in enumerate(sources):
        rivals = [v for n, v in enumerate(sources) if n != number]
        for shift in _shifts(copy, source, rivals):
            found = tried(_shifted(shift), source.article_id, _with(story, _moved(source, shift)))
            if found.changes:
                yield found
                break


def _taken_away(copy: Version, story: Sequence[Version], answers: Sequence[Answer]) -> Iterator[tuple[str, int | None, list[Version]]]:
    """Each thing that may be taken away: in words, the article it is about if not the copy, and the story without it."""
    for change, changed in (*_unsaid(copy), *_unmarked(copy, answers), *_unstated(copy)):
        yield change, None, _with(story, changed)
    for answer in answers:
        source = answer.considered.source
        if source is not None:
            yield "had it not been seen", source, [v for v in story if v.article_id != source]


def _unsaid(copy: Version) -> Iterator[tuple[str, Version]]:
    """The copy without one of its credits that speak of a source."""
    seen: set[str] = set()
    for resolved in copy.credits:
        line = " ".join(resolved.credit.text.split())
        if resolved.credit.kind in ("republication", "wire", "hat-tip") and resolved.publisher_id is not None and line not in seen:
            seen.add(line)
            yield f"without its credit “{line}”", _without_credit(copy, resolved.credit)


def _unmarked(copy: Version, answers: Sequence[Answer]) -> Iterator[tuple[str, Version]]:
    """The copy without one of the lines that it has in common with its two likeliest sources although they are nobody's text."""
    lines = {(e.start, e.end): e.text for a in answers for x in a.exhibits if (e := x.evidence).kind == "innovation"}
    for (start, end), text in lines.items():
        if start is not None and end is not None:
            yield f"without its line “{' '.join(text.split())}”", _without_line(copy, start, end)


def _unstated(copy: Version) -> Iterator[tuple[str, Version]]:
    """The copy without what it states beside its text."""
    if copy.links or copy.canonical_of is not None:
        yield "without its links and canonical address", replace(copy, links=frozenset(), canonical_of=None)
    if copy.title:
        yield "with a headline of its own", replace(copy, title="")
    if copy.published is not None:
        yield "without a date of its own", replace(copy, published=None)


def _with(story: Sequence[Version], changed: Version) -> list[Version]:
    """A story with another form of one of its articles."""
    return [changed if v.article_id == changed.article_id else v for v in story]


def _without_credit(copy: Version, credit: Credit) -> Version:
    """A copy that does not say so, in text or structure."""
    said = " ".join(credit.text.split())
    left = tuple(r for r in copy.credits if " ".join(r.credit.text.split()) != said)
    changed = replace(copy, credits=left)
    if credit.start is None or credit.end is None:
        return changed
    return _without_line(changed, credit.start, credit.end)


def _without_line(copy: Version, start: int, end: int) -> Version:
    """A copy in which what was cut at a span tells nothing: furniture stays cut and is evidence of nothing."""
    cut = tuple(Removal("furniture", r.start, r.end) if r.start < end and r.end > start else r for r in copy.removals)
    left = tuple(
        r for r in copy.credits if r.credit.start is None or r.credit.end is None or r.credit.start >= end or r.credit.end <= start
    )
    return replace(copy, removals=cut, credits=left)


def _moved(version: Version, shift: timedelta) -> Version:
    """An article that appeared later or earlier, its own date with it."""
    published = None if version.published is None else version.published + shift
    return replace(version, first_seen=version.first_seen + shift, published=published)


def _shifts(copy: Version, source: Version, rivals: Iterable[Version]) -> list[timedelta]:
    """How far a source must move for its lag to be weighed otherwise, or to pass a rival; the smallest first."""
    lag = copy.first_seen - source.first_seen
    marks = [lag - timedelta(hours=limit) for limit, _ in LAGS]
    marks += [rival.first_seen - source.first_seen for rival in rivals]
    found = {shift for mark in marks for shift in (mark - ALMOST, mark + ALMOST) if abs(shift) <= LONGEST_SHIFT}
    return sorted((_whole(s) for s in found if abs(s) >= ALMOST), key=abs)[:SHIFTS]


def _whole(shift: timedelta) -> timedelta:
    """Whole minutes, away from nought."""
    minutes = -(-abs(shift) // ALMOST)
    return minutes * ALMOST if shift > timedelta() else -minutes * ALMOST


def _shifted(shift: timedelta) -> str:
    """A change of time in words."""
    minutes = round(abs(shift).total_seconds() / 60)
    many = f"{minutes / 60:.1f} hours" if minutes < 2_880 else f"{minutes / 1_440:.1f} days"
    span = counted(minutes, "minute") if minutes < 120 else many
    return f"{span} {'later' if shift > timedelta() else 'earlier'}"
