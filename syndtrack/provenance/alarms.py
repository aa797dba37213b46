"""Stories that are to be looked at: larger than news gets, or held together by little.

A story that furniture or a missed boilerplate line holds together is larger than any text that travels, and one that hangs on weak edges is
perhaps several. Nothing is cut apart for it: which of the edges is wrong is for a person to say (`syndtrack verdict`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syndtrack.models import Edge
from syndtrack.provenance.chains import Story, stories

# The largest story of 20,000 simulated articles has 31 articles of 23 publishers, and an agency's report is printed by some hundreds of
# papers at most; a text that one publisher prints ten times over is its furniture or a column's standing words.
MANY_ARTICLES, MANY_PUBLISHERS, MANY_OF_EACH = 500, 300, 10.0
LEAST_OF_EACH = 30  # articles, below which a publisher's own series is no cause for alarm
# A story of some size of which less than half stays together once the edges are gone that are no more likely than not.
LEAST_FOR_WEAK, WEAK, HELD = 5, 0.5, 0.5


def alarm(story: Story, edges: Sequence[Edge], publisher_of: Mapping[int, int]) -> str | None:
    """Why a story is to be looked at, None if it is not. `edges` hold at least its own."""
    articles, publishers = len(story.articles), len({publisher_of[a] for a in story.articles})
    if articles > MANY_ARTICLES:
        return f"more than {MANY_ARTICLES} articles"
    if publishers > MANY_PUBLISHERS:
        return f"more than {MANY_PUBLISHERS} publishers"
    if articles >= LEAST_OF_EACH and articles > MANY_OF_EACH * publishers:
        return f"more than {MANY_OF_EACH:.0f} articles of each publisher"
    if articles >= LEAST_FOR_WEAK:
        strong = [e for e in edges if e.copy in story.articles and e.confidence > WEAK]
        if max((len(s.articles) for s in stories(strong)), default=1) < HELD * articles:
            return "held together by weak edges"
    return None
