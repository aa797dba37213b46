"""Articles that put together the texts of several sources: the further sources besides the first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import exp

from syndtrack.provenance.features import Option, Story
from syndtrack.provenance.trees import OUTSIDE, derives
from syndtrack.provenance.weights import score

# A further source gives at least so many shingles, and so much of the article: hence there are at most eight sources, and no more than
# so many are looked for.
LEAST_WORDS, LEAST_SHARE, MOST_FURTHER = 25, 0.12, 4
# Of what a further source gives, at most so much may stand in the ones before, and at most so much of either in the other: versions of
# one text are no two sources.
MOST_COMMON = 0.2
# Share of such findings that are right whatever their rivals: measured on simulated stories.
RELIABLE = 0.9


def further_sources(
    story: Story, copy: int, first: Option, heads: Sequence[int], weights: Mapping[str, float], *, barred: Collection[int] = ()
) -> list[tuple[Option, float, float]]:
    """The most likely source of what the first one lacks, then of what the two lack, and so on while something of weight is left; each
    with its score and probability.

    `heads` are the chosen heads of all versions: what derives from the copy is no source of it, nor are those that a person `barred`.
    """
    given = _given_by(story, copy, first)
    found: list[tuple[Option, float, float]] = []
    least = max(LEAST_WORDS, LEAST_SHARE * story.desk.size(copy))
    while given and len(found) < MOST_FURTHER:
        free = [u for u in story.candidates[copy] if u not in given and u not in barred and not derives(u, copy, heads)]
        besides = story.desk.besides(copy, free, given, least)
        apart = [u for u, new, common in besides if common <= MOST_COMMON * (new + common) and not _related(story, u, given)]
        if not apart:
            break
        options = story.options(copy, set(apart), apart)[: len(apart)]
        scores = [score(o.features, weights) for o in options]
        best = max(range(len(options)), key=lambda k: scores[k])
        total = sum(exp(s - scores[best]) for s in scores)
        found.append((options[best], scores[best], RELIABLE / total))
        given.append(options[best].head)
    return found


def _given_by(story: Story, copy: int, first: Option) -> list[int]:
    """The versions that hold what the first source gives: itself, or those that name the same unobserved publisher."""
    if first.head != OUTSIDE:
        return [first.head]
    return [u for u in story.candidates[copy] if first.publisher_id in story.said[u].ids]


def _related(story: Story, version: int, given: Sequence[int]) -> bool:
    """Whether a version shares text with one of those given, which the copy may have left out."""
    return any(max(story.match(version, u)[:2]) > MOST_COMMON for u in given)
