"""The texts of one story, made comparable: every run of five words becomes a small number that is the same in all its versions.

Numbers instead of hashes let a pair be compared by marking one text in an array and reading it off along the other, a few microseconds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syndtrack.models import Removal, Version
from syndtrack.words import tokenise

WIDTH = 5
WORD = re.compile(r"\w+")
# Longer lines are paragraphs; those are compared by their words.
LONGEST_LINE = 400

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version ready for comparison.

    `revisions` holds, newest first, the shingle numbers of each kept text in reading order. `lines` are the folded lines that cleaning cut
    and the credits' lines, with where they stand in the text; they are what a copy inherits without anybody meaning it to.
    """

    version: Version
    revisions: tuple[Numbers, ...]
    lines: dict[str, tuple[int, int]]
    title: str


def folded(text: str) -> str:
    """Words in lower case, one space apart: two lines that differ in typography only are one line."""
    return " ".join(WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def cut_lines(version: Version) -> dict[str, tuple[int, int]]:
    """The lines of removals and of credits, folded, with their spans in the newest text; the first of equal lines."""
    text = version.texts[0]
    spans = [(r.start, r.end) for r in version.removals if r.rule != "furniture"]
    spans += [(c.credit.start, c.credit.end) for c in version.credits if c.credit.start is not None and c.credit.end is not None]
    lines: dict[str, tuple[int, int]] = {}
    for start, end in spans:
        at = start
        for line in text[start:end].split("\n"):
            name = folded(line) if len(line) <= LONGEST_LINE else ""
            if name:
                lines.setdefault(name, (at, at + len(line)))
            at += len(line) + 1
    return lines


def older_text(text: str, newest: str, removals: Sequence[Removal]) -> str:
    """An older revision without the lines that cleaning cut from the newest: nobody cleaned it by itself."""
    cut = {line.strip() for r in removals for line in newest[r.start : r.end].split("\n")}
    return "\n".join(line for line in text.split("\n") if line.strip() not in cut)


def prepare(versions: Sequence[Version]) -> tuple[list[Prepared], int]:
    """All versions of a story, and how many different shingles they have."""
    hashes: list[NDArray[np.uint32]] = []
    counts: list[int] = []
    for version in versions:
        newest = version.texts[0]
        hashes.append(tokenise(newest, version.removals).shingles)
        hashes.extend(tokenise(older_text(text, newest, version.removals)).shingles for text in version.texts[1:])
        counts.append(len(version.texts))
    joined = np.concatenate(hashes) if hashes else np.empty(0, dtype=np.uint32)
    distinct, numbers = np.unique(joined, return_inverse=True)
    pieces = np.split(numbers.astype(np.int64), np.cumsum([len(h) for h in hashes])[:-1])
    prepared, at = [], 0
    for version, count in zip(versions, counts, strict=True):
        prepared.append(Prepared(version, tuple(pieces[at : at + count]), cut_lines(version), folded(version.title)))
        at += count
    return prepared, len(distinct)
