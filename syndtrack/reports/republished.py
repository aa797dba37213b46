"""Who republished a publisher: every copy of its articles, how much of it was kept, what was dropped and added, and whether it said so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from syndtrack.matching.align import blocks, chains, shared_shingles
from syndtrack.models import Removal
from syndtrack.store.store import Store
from syndtrack.words import Words, tokenise

QUOTED = 300  # code points of a passage that is quoted; a paragraph is shorter

Text = tuple[str, Sequence[Removal]]
Row = dict[str, Any]


def republished(store: Store, number: int) -> Iterator[Row]:
    """One row a copy: `share_kept` of the article's words stand in the copy, `dropped_words` do not, `added_words` of the copy are not the
    article's, each with its longest passage. All None where the article itself was not observed. Texts count without what cleaning removes.
    """
    for row in store.directory.republished(number):
        source, copy = row.pop("source_revision"), row.pop("copy_revision")
        texts: Mapping[int, Text] = store.articles.texts([source, copy]) if row["article"] is not None else {}
        yield row | (difference(texts[source], texts[copy]) if texts else dict.fromkeys(DIFFERENCE))


DIFFERENCE = ("share_kept", "dropped_words", "added_words", "longest_dropped", "longest_added")


def difference(source: Text, copy: Text) -> Row:
    """What a copy kept, dropped and added, as DIFFERENCE names it."""
    a, b = tokenise(*source), tokenise(*copy)
    in_a, in_b = np.zeros(len(a), np.bool_), np.zeros(len(b), np.bool_)
    for chain in chains(a, b, blocks(a, b, shared_shingles(a, b))):
        for block in chain:
            in_a[block.a_start : block.a_end] = True
            in_b[block.b_start : block.b_end] = True
    return {
        "share_kept": round(float(in_a.mean()), 3) if len(a) else None,
        "dropped_words": int(np.count_nonzero(~in_a)),
        "added_words": int(np.count_nonzero(~in_b)),
        "longest_dropped": _longest(source[0], a, ~in_a),
        "longest_added": _longest(copy[0], b, ~in_b),
    }


def _longest(text: str, words: Words, chosen: npt.NDArray[np.bool_]) -> str | None:
    """The longest passage of a text whose words are all chosen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    if not len(edges):
        return None
    starts, ends = edges[::2], edges[1::2]
    at = int(np.argmax(ends - starts))
    passage = " ".join(text[int(words.starts[starts[at]]) : int(words.ends[ends[at] - 1])].split())
    return passage if len(passage) <= QUOTED else passage[: QUOTED - 1] + "…"
