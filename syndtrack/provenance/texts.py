"""The texts of one story, made comparable: every run of five words becomes a small number that is the same in all its versions.

Numbers instead of hashes let a pair be compared by marking one text in an array and reading it off along the other, a few microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syndtrack.models import Removal, Version
from syndtrack.words import Words, folded_words, tokenise

SIGNS, LAST_SIGNS = re.compile(r"[^\w\s]*"), re.compile(r"[^\w\s]{0,4}$")
# Longer lines are paragraphs; those are compared by their words.
LONGEST_LINE = 400
# More characters than that between two words are no punctuation but a removed passage.
LONGEST_GAP = 4
MIX = np.uint64(0x9E3779B97F4A7C15)

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Text:
    """The kept text of one revision: for each of its shingles, in reading order, the number of its words and that of its typography, and
    where it starts and ends in the revision's text.
    """

    words: Numbers
    surface: Numbers
    starts: Numbers
    ends: Numbers


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version ready for comparison.

    `revisions` are newest first. `lines` are the folded lines of inserts that speak of some article (READ ALSO …), `captions` those of
    pictures, both with where they stand in the text; they are what a copy inherits without anybody meaning it to.
    """

    version: Version
    revisions: tuple[Text, ...]
    lines: dict[str, tuple[int, int]]
    captions: dict[str, tuple[int, int]]
    title: str


def cut_lines(version: Version, rule: str) -> dict[str, tuple[int, int]]:
    """The lines that a rule of cleaning cut, folded, three words and more, with their spans in the newest text; the first of equal lines.

    Only rules whose lines are of one article's own: of two versions that both had "share this article" or "comments are closed" cut, one
    was the other's source no oftener than any two were (one pair in four), of those with a READ ALSO line in common seven in eight.
    """
    text = version.texts[0]
    lines: dict[str, tuple[int, int]] = {}
    for removal in version.removals:
        if removal.rule != rule:
            continue
        at = removal.start
        for line in text[removal.start : removal.end].split("\n"):
            name = folded_words(line) if len(line) <= LONGEST_LINE else ""
            if name.count(" ") >= 2:
                lines.setdefault(name, (at, at + len(line)))
            at += len(line) + 1
    return lines


def older_text(text: str, newest: str, removals: Sequence[Removal]) -> str:
    """An older revision without the lines that cleaning cut from the newest: nobody cleaned it by itself."""
    cut = {line.strip() for r in removals for line in newest[r.start : r.end].split("\n")}
    return "\n".join(line for line in text.split("\n") if line.strip() not in cut)


def _signs(gap: str) -> str:
    """The signs between two words; of a longer gap, where something was cut, those that touch the words."""
    signs = "".join(gap.split())
    return signs if len(signs) <= LONGEST_GAP else SIGNS.match(signs)[0] + LAST_SIGNS.search(signs)[0]  # type: ignore[index]  # both match nothing at least


def surfaces(text: str, words: Words) -> NDArray[np.uint64]:
    """For each shingle a hash of how it is written: case, quotes, dashes, commas. Where a text is parted or something was cut is no matter.

    Two houses write the same words in different typography, and a copy takes over what it finds more often than not.
    """
    starts, ends = words.starts.tolist(), words.ends.tolist()
    gaps = [_signs(text[e:s]) for e, s in zip(ends, starts[1:], strict=False)]
    # strict=False: where everything was cut there are no words, and no gap behind the last
    written = [hash((text[s:e], gap)) for s, e, gap in zip(starts, ends, [*gaps, ""], strict=False)]
    total = np.zeros(len(written) + 1, dtype=np.uint64)
    powers = np.ones(len(written) + 1, dtype=np.uint64)
    if written:
        np.multiply.accumulate(np.full(len(written), MIX), out=powers[1:])
        inverse = np.uint64(pow(int(MIX), -1, 1 << 64))
        np.cumsum(np.array(written, dtype=np.int64).view(np.uint64) * powers[:-1], out=total[1:])
        undo = np.ones(len(written) + 1, dtype=np.uint64)
        np.multiply.accumulate(np.full(len(written), inverse), out=undo[1:])
        last = words.shingle_ends
        return np.asarray((total[last] - total[: len(last)]) * undo[: len(last)])
    return np.empty(0, dtype=np.uint64)


def prepare(versions: Sequence[Version]) -> tuple[list[Prepared], int, int]:
    """All versions of a story, how many different shingles they have, and how many ways of writing them."""
    hashes: list[NDArray[np.uint32]] = []
    written: list[NDArray[np.uint64]] = []
    places: list[tuple[Numbers, Numbers]] = []
    for version in versions:
        newest = version.texts[0]
        for k, text in enumerate(version.texts):
            body = older_text(text, newest, version.removals) if k else text
            words = tokenise(body, () if k else version.removals)
            hashes.append(words.shingles)
            written.append(surfaces(body, words))
            last = words.shingle_ends
            places.append((words.starts[: len(last)].astype(np.int64), words.ends[last - 1].astype(np.int64)))
    ends = np.cumsum([len(h) for h in hashes])[:-1]
    distinct, numbers = np.unique(np.concatenate(hashes), return_inverse=True)
    ways, surface = np.unique(np.concatenate(written), return_inverse=True)
    parts = zip(np.split(numbers.astype(np.int64), ends), np.split(surface.astype(np.int64), ends), places, strict=True)
    texts = [Text(word, way, *place) for word, way, place in parts]
    prepared, at = [], 0
    for version in versions:
        count = len(version.texts)
        lines, captions = cut_lines(version, "read-also"), cut_lines(version, "caption")
        prepared.append(Prepared(version, tuple(texts[at : at + count]), lines, captions, folded_words(version.title)))
        at += count
    return prepared, len(distinct), len(ways)
