"""Articles that put together the texts of several sources: the further sources besides the first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import exp

from syndtrack.provenance.features import Option, Story
from syndtrack.provenance.trees import OUTSIDE, derives
from syndtrack.provenance.weights import score

# A further source gives at least so many shingles, and so much of the article.
LEAST_WORDS, LEAST_SHARE = 25, 0.12
# Of what a further source gives, at most so much may stand in the first one too: versions of one text are no two sources.
MOST_COMMON = 0.2
# Share of such findings that are right whatever their rivals: measured on simulated stories.
RELIABLE = 0.9


def further_source(
    story: Story, copy: int, first: Option, heads: Sequence[int], weights: Mapping[str, float], *, barred: Collection[int] = ()
) -> tuple[Option, float, float] | None:
    """The most likely source of what the first one lacks, with its score and probability; None where nothing of weight is left.

    `heads` are the chosen heads of all versions: what derives from the copy is no source of it, nor are those that a person `barred`.
    """
    given = _given_by(story, copy, first)
    if not given:
        return None
    least = max(LEAST_WORDS, LEAST_SHARE * story.desk.size(copy))
    free = [u for u in story.candidates[copy] if u not in given and u not in barred and not derives(u, copy, heads)]
    found = story.desk.besides(copy, free, given, least)
    apart = [u for u, new, common in found if common <= MOST_COMMON * (new + common)]
    if not apart:
        return None
    options = story.options(copy, set(apart), apart)[: len(apart)]
    scores = [score(o.features, weights) for o in options]
    best = max(range(len(options)), key=lambda k: scores[k])
    total = sum(exp(s - scores[best]) for s in scores)
    return options[best], scores[best], RELIABLE / total


def _given_by(story: Story, copy: int, first: Option) -> list[int]:
    """The versions that hold what the first source gives: itself, or those that name the same unobserved publisher."""
    if first.head != OUTSIDE:
        return [first.head]
    return [u for u in story.candidates[copy] if first.publisher_id in story.said[u].ids]
