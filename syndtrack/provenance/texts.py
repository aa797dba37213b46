"""The texts of one story, made comparable: every run of five words becomes a small number that is the same in all its versions.

Numbers instead of hashes let a pair be compared by marking one text in an array and reading it off along the other, a few microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from syndtrack.models import Removal, Version
from syndtrack.words import Words, codes_of, folded_words, tokenise

SIGNS, LAST_SIGNS = re.compile(r"[^\w\s]*"), re.compile(r"[^\w\s]{0,4}$")
# Longer lines are paragraphs; those are compared by their words.
LONGEST_LINE = 400
# More characters than that between two words are no punctuation but a removed passage.
LONGEST_GAP = 4
MIX = 0x9E3779B97F4A7C15
# Marks on the first character of a word and of the signs between words, beyond all code points.
WORD_STARTS, SIGNS_START = np.uint64(1 << 32), np.uint64(1 << 33)

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
    """The signs that touch the words on either side of a long gap, where something was cut."""
    signs = "".join(gap.split())
    return SIGNS.match(signs)[0] + LAST_SIGNS.search(signs)[0]  # type: ignore[index]  # both match nothing at least


def _without_cuts(text: str, words: Words) -> tuple[str, Numbers, Numbers]:
    """A text with signs only between its words, besides white space, and where its words start and end in it."""
    starts, ends = words.starts.astype(np.int64), words.ends.astype(np.int64)
    filled = np.concatenate(([0], np.cumsum(~_spaces()[codes_of(text)])))
    cut = np.flatnonzero(filled[starts[1:]] - filled[ends[:-1]] > LONGEST_GAP)
    if not len(cut):
        return text, starts, ends
    parts, at, moved = [], 0, np.zeros(len(starts), dtype=np.int64)
    for n, end, start in zip(cut.tolist(), ends[cut].tolist(), starts[cut + 1].tolist(), strict=True):
        signs = _signs(text[end:start])
        parts += [text[at:end], signs]
        moved[n + 1] = len(signs) - (start - end)
        at = start
    moved = np.cumsum(moved)
    return "".join([*parts, text[at:]]), starts + moved, ends + moved


@cache
def _spaces() -> NDArray[np.bool_]:
    """Which code points are white space."""
    spaces = np.zeros(0x110000, dtype=np.bool_)
    spaces[[code for code in range(0x3001) if chr(code).isspace()]] = True
    return spaces


def _powers(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The first powers of `MIX`, and of its inverse."""
    powers, inverse = _powers_below(max(12, count.bit_length()))
    return powers[:count], inverse[:count]


@cache
def _powers_below(bits: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    ones = np.ones((2, 1 << bits), dtype=np.uint64)
    ones[0, 1:], ones[1, 1:] = MIX, pow(MIX, -1, 1 << 64)
    powers = np.multiply.accumulate(ones, axis=1)
    return powers[0], powers[1]


def surfaces(text: str, words: Words) -> NDArray[np.uint64]:
    """For each shingle a hash of how it is written: case, quotes, dashes, commas. Where a text is parted or something was cut is no matter.

    Two houses write the same words in different typography, and a copy takes over what it finds more often than not.

    The hash is that of Karp and Rabin (1987), of all characters from the first word to the one behind the last, without white space: its
    values for all shingles are read off one sum along the text instead of made word by word.
    """
    if not len(words):
        return np.empty(0, dtype=np.uint64)
    text, starts, ends = _without_cuts(text, words)
    codes = codes_of(text)
    filled = ~_spaces()[codes]
    place = np.concatenate(([0], np.cumsum(filled)))
    signs = np.append(codes[filled], 0).astype(np.uint64)
    signs[place[starts]] += WORD_STARTS
    after = place[ends[:-1]]
    signs[after[after != place[starts[1:]]]] += SIGNS_START
    powers, inverse = _powers(len(signs))
    total = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum((signs + 1) * powers)))
    last = words.shingle_ends
    first = place[starts[: len(last)]]
    behind = place[np.append(starts[1:], ends[-1])[last - 1]]
    return np.asarray((total[behind] - total[first]) * inverse[first])


def prepare(versions: Sequence[Version]) -> tuple[list[Prepared], int, int]:
    """All versions of a story, how many different shingles they have, and how many ways of writing them."""
    hashes: list[NDArray[np.uint32]] = []
    written: list[NDArray[np.uint64]] = []
    places: list[tuple[Numbers, Numbers]] = []
    compared = len(versions) > 1  # the text of a version alone is not asked for
    for version in versions:
        newest = version.texts[0]
        for k, text in enumerate(version.texts if compared else [""]):
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
        count = len(version.texts) if compared else 1
        lines, captions = cut_lines(version, "read-also"), cut_lines(version, "caption")
        prepared.append(Prepared(version, tuple(texts[at : at + count]), lines, captions, folded_words(version.title)))
        at += count
    return prepared, len(distinct), len(ways)
