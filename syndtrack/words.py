"""Words of a text, normalised and hashed, each with its place in the original text; and runs of words, the shingles.

What two spellings of one word have in common is kept, what typography adds is dropped: compatibility forms, case, ligatures, kinds of
quotes and dashes, soft hyphens and other invisible characters, Turkish i with and without its dot, Russian ё, digits of other scripts.
Apostrophes and hyphens part words, so that the many characters used for them make no difference.

Scripts that are written without spaces are taken by character (a letter with its marks). Five words of English say about as much as ten
characters of Chinese or Japanese, or as fifteen letters of Thai, so each kind of token has a weight, and a shingle is a run of tokens that
weighs `SHINGLE_WEIGHT`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt
import regex
import xxhash

from syndtrack.models import Removal

MAX_LENGTH = 2_000_000
"""Code points of a text that are looked at: a text beyond that is no article, and what follows is left out."""

MAX_WORDS = 100_000
"""Words of a text that are looked at; the longest articles of the press have 30,000."""

MAX_WORD_LENGTH = 64
"""Code points of a word that count: longer ones are encoded bytes or a key held down."""

LONGEST_FOLDED = 2_000
"""Code points of a headline, line or name that are folded whole: marks are put in order one by one, 60,000 of them in seconds."""

MAX_QUOTATION = 3_000
"""Code points of a line between quotation marks; beyond that a mark is missing."""

NUMERIC, LINE_START, QUOTED = 1, 2, 4
"""Flags of a word: it holds a digit, it is the first of its line, it stands between quotation marks."""

WORD_WEIGHT = 6
SHINGLE_WEIGHT = 5 * WORD_WEIGHT

_PLAIN_WORD = re.compile(r"\w+")

_SEPARATOR, _MARK, _WORD, _IDEOGRAPH, _LETTER = 0, 1, 2, 3, 4
_WEIGHTS = np.array([0, 0, WORD_WEIGHT, WORD_WEIGHT // 2, WORD_WEIGHT // 3], dtype=np.uint8)

_CLASSES = (
    # Later ones win. Marks and invisible characters belong to the letter before them.
    (_WORD, r"[\p{L}\p{N}]+"),
    (_MARK, r"[\p{M}\p{Cf}\uFF9E\uFF9F\u0640]+"),
    # Letters that serve as apostrophes (U+02B9 to U+02BC, U+02C8, U+A78C) must part words as ' does.
    (_SEPARATOR, r"[\u02B9-\u02BC\u02C8\u055A\uA78B\uA78C]+"),
    # Characters of Chinese and Japanese; the iteration and length marks are among them.
    (_IDEOGRAPH, r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\u30FC\uFF70--[\p{N}\p{P}\p{S}\p{Z}\uFF9E\uFF9F]]+"),
    (_LETTER, r"[[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Javanese}]&&\p{L}]+"),
    # Vowels of Thai and Lao that are letters of their own but stand for a part of the syllable before them.
    (_MARK, r"[\u0E30-\u0E33\u0E45\u0E47\u0EB0-\u0EB3]+"),
)

_SAME = str.maketrans(
    {
        "ı": "i",  # IŞIK and ışık fold to different letters outside Turkish
        "œ": "oe",
        "æ": "ae",
        "ё": "е",
        "ş": "ș",  # Romanian with cedilla instead of comma
        "ţ": "ț",
        "ی": "ي",  # Persian keyboards and Arabic ones
        "ک": "ك",
        "ـ": None,  # Arabic stretching
    }
)

_REMEMBERED = 200_000
"""Words whose hash is remembered (about 25 MB); then the memory starts anew."""

_NOT_OF_WORDS = regex.compile(r"[^\p{L}\p{N}\p{M}]+")
# A quotation, by what may close it: it ends there, or with its line. A straight mark opens after a space and closes after anything else.
_AFTER_SPACE = r"(?<![^ \t\n\u00a0(\[{—–\-:'‘])"
_CLOSED_BY = {_AFTER_SPACE + '"': '"”', _AFTER_SPACE + "”": "”", "“": '”"', "„": '“”"', "‟": "”"}
_CLOSED_BY |= {"«": "»", "»": "«", "「": "」", "『": "』", "＂": "＂"}
_QUOTATION = re.compile("|".join(rf"{opening}[^{closing}\n]*[{closing}\n]?" for opening, closing in _CLOSED_BY.items()))
_DECIMAL = regex.compile(r"(?![0-9])\p{Nd}")


@dataclass(frozen=True, slots=True, eq=False)
class Occurrences:
    """The shingles of a text as 64-bit keys, the hash above the number of the occurrence: `keys` in order of the text, `ordered` by value,
    with their `places` in the text. `different` is the number of different shingles.
    """

    keys: npt.NDArray[np.uint64]
    ordered: npt.NDArray[np.uint64]
    places: npt.NDArray[np.int32]
    different: int


@dataclass(frozen=True, eq=False)  # no slots: the shingles are worked out once, when they are asked for
class Words:
    """The words of a text outside its removals. All arrays have one element a word; `starts` and `ends` are offsets in the original text.

    `weights` say how much of a shingle a word fills; `flags` add up `NUMERIC`, `LINE_START` and `QUOTED`.
    """

    hashes: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    weights: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.hashes)

    @cached_property
    def shingle_ends(self) -> npt.NDArray[np.int32]:
        """For every shingle, in order of its first word, the index after its last word."""
        total = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.weights, dtype=np.int64)])
        ends = np.searchsorted(total, total[:-1] + SHINGLE_WEIGHT)
        return ends[ends <= len(self)].astype(np.int32)

    @cached_property
    def shingles(self) -> npt.NDArray[np.uint32]:
        """Hashes of all shingles in order, repeated ones too: xxh32 of the little-endian hashes of their words."""
        ends = self.shingle_ends
        sizes = ends - np.arange(len(ends))
        hashes = np.empty(len(ends), np.uint32)
        for size in np.flatnonzero(np.bincount(sizes)).tolist():
            at = np.flatnonzero(sizes == size)
            hashes[at] = _xxh32([self.hashes[at + n] for n in range(size)])
        return hashes

    @property
    def shingle_set(self) -> npt.NDArray[np.uint32]:
        """The different shingles, sorted."""
        return np.unique(self.shingles)

    @cached_property
    def occurrences(self) -> Occurrences:
        """The shingles told apart by how often each occurred before, for comparing."""
        order = np.argsort(self.shingles, kind="stable").astype(np.int32)
        ordered = self.shingles[order].astype(np.uint64) << np.uint64(32)
        fresh = np.ones(len(ordered), np.bool_)
        fresh[1:] = ordered[1:] != ordered[:-1]
        if not fresh.all():
            at = np.arange(len(ordered))
            ordered |= (at - np.maximum.accumulate(np.where(fresh, at, 0))).astype(np.uint64)
        keys = np.empty_like(ordered)
        keys[order] = ordered
        return Occurrences(keys, ordered, order, int(np.count_nonzero(fresh)))


def codes_of(text: str) -> npt.NDArray[np.uint32]:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def tokenise(text: str, removals: Sequence[Removal] = ()) -> Words:
    """The words of the text without its removals, joined: a shingle may run across a removal. Bounded by `MAX_LENGTH` and `MAX_WORDS`."""
    text = text[:MAX_LENGTH]
    codes = codes_of(text)
    kinds = _kinds()[codes]
    for removal in removals:
        kinds[removal.start : removal.end] = _SEPARATOR
    marks = np.flatnonzero(kinds == _MARK)
    own = kinds.copy()
    if len(marks):  # a mark is of the kind of the last character that is none
        at = np.arange(len(kinds))
        at[marks] = 0
        np.maximum.accumulate(at, out=at)
        kinds = kinds[at]
        kinds[kinds == _MARK] = _SEPARATOR
    before = np.concatenate([np.zeros(1, np.uint8), kinds[:-1]])
    begins = (kinds != before) & (kinds != _SEPARATOR) | (kinds > _WORD) & (own > _WORD)
    bounds = np.flatnonzero(begins | (kinds == _SEPARATOR) & (before != _SEPARATOR))
    is_start = begins[bounds]
    starts = bounds[is_start][:MAX_WORDS]
    ends = np.append(bounds[1:], len(text))[is_start][:MAX_WORDS]
    if len(_known) > _REMEMBERED:
        _known.clear()
    if len(starts) < MAX_WORDS and not (kinds > _WORD).any():  # the usual case, five times as fast as cutting out word by word
        spaced = np.where(kinds == _SEPARATOR, np.uint32(32), codes).astype("<u4")
        cut = spaced.tobytes().decode("utf-32-le", "surrogatepass").split(" ")
        words = list(filter(None, cut))
    else:
        words = [text[s:e] for s, e in zip(starts.tolist(), ends.tolist(), strict=True)]
    values = np.fromiter(map(_known.__getitem__, words), np.int64, len(words))
    return Words(
        hashes=(values & 0xFFFFFFFF).astype(np.uint32),
        starts=starts.astype(np.int32),
        ends=ends.astype(np.int32),
        weights=_WEIGHTS[kinds[starts]],
        flags=_flags(text, codes, starts, values > 0xFFFFFFFF),
    )


def _flags(
    text: str, codes: npt.NDArray[np.uint32], starts: npt.NDArray[np.int64], numeric: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    flags = numeric.astype(np.uint8) * np.uint8(NUMERIC)
    newlines = np.flatnonzero(codes == ord("\n"))
    first = np.searchsorted(starts, np.concatenate([[0], newlines]))
    flags[first[first < len(starts)]] |= LINE_START
    last = int(starts[-1]) + 1 if len(starts) else 0
    opened, closed = np.searchsorted(starts, np.array(_quotations(text[: last + MAX_QUOTATION]), np.int64).reshape(-1, 2)).T
    depth = np.bincount(opened, minlength=len(starts) + 1) - np.bincount(closed, minlength=len(starts) + 1)
    flags[np.cumsum(depth[:-1]) > 0] |= QUOTED
    return flags


def _quotations(text: str) -> list[tuple[int, int]]:
    """Spans of direct speech, none of which overlap."""
    return [(start, end) for start, end in (found.span() for found in _QUOTATION.finditer(text)) if end - start <= MAX_QUOTATION + 1]


def is_overlong(text: str, most: int) -> bool:
    """Whether a text has more than so many code points once its compatibility characters are written out: U+FDFA stands for 18.

    To normalise lines and words of such characters takes 20 times as long as others of their length.
    """
    if text.isascii():
        return len(text) > most
    pattern, more = _stretching()
    return len(text) + sum(map(more.__getitem__, pattern.findall(text))) > most


@cache
def _stretching() -> tuple[re.Pattern[str], dict[str, int]]:
    """The characters that stand for three and more, and for how many more. In other blocks none stands for over four."""
    blocks = chain(range(0x2100, 0x2B00), range(0x3200, 0x3400), range(0xFB00, 0xFE00), range(0x1F100, 0x1F300))
    more = {chr(code): len(unicodedata.normalize("NFKD", chr(code))) - 1 for code in blocks}
    more = {character: count for character, count in more.items() if count >= 2}
    return re.compile(f"[{''.join(more)}]"), more


def normal_form(word: str) -> str:
    """A word without what is only typography, case or keyboard."""
    if is_overlong(word, 2 * MAX_WORD_LENGTH):
        return word  # no word of any language
    normal = unicodedata.normalize("NFKC", word)
    folded = normal.casefold()
    if folded != normal:
        folded = unicodedata.normalize("NFKC", folded)
    folded = _NOT_OF_WORDS.sub("", folded.replace("i̇", "i").translate(_SAME))
    return folded if folded.isascii() else _DECIMAL.sub(lambda digit: str(unicodedata.decimal(digit[0], digit[0])), folded)


class _KnownWords(dict[str, int]):
    """The hash of each word met, in its lower 32 bits, and above them whether the word holds a digit."""

    def __missing__(self, word: str) -> int:
        normal = normal_form(word[:MAX_WORD_LENGTH])
        value = xxhash.xxh32_intdigest(normal.encode("utf-8", "surrogatepass"))
        if any(character.isdigit() for character in normal):
            value |= 1 << 32
        if len(word) <= MAX_WORD_LENGTH:
            self[word] = value
        return value


_known = _KnownWords()


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """The kind of every code point: 1.1 MB, made in about 0.1 s when first needed."""
    kinds = np.zeros(0x110000, dtype=np.uint8)
    every = "".join(map(chr, range(0x110000)))
    for kind, pattern in _CLASSES:
        for run in regex.finditer(pattern, every, flags=regex.VERSION1):
            kinds[run.start() : run.end()] = kind
    return kinds


_PRIME1, _PRIME2, _PRIME3 = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D)
_PRIME4, _PRIME5 = np.uint32(0x27D4EB2F), np.uint32(0x165667B1)


def _rotate(x: npt.NDArray[np.uint32], by: int) -> npt.NDArray[np.uint32]:
    return (x << np.uint32(by)) | (x >> np.uint32(32 - by))


def _xxh32(columns: Sequence[npt.NDArray[np.uint32]]) -> npt.NDArray[np.uint32]:
    """xxh32 with seed 0 of each row's little-endian bytes (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md)."""
    size, whole = len(columns), len(columns) // 4 * 4
    with np.errstate(over="ignore"):
        if whole:
            starts = (_PRIME1 + _PRIME2, _PRIME2, np.uint32(0), np.uint32(0) - _PRIME1)
            lanes = [np.full(len(columns[0]), start, np.uint32) for start in starts]
            for at in range(0, whole, 4):
                lanes = [_rotate(lane + columns[at + n] * _PRIME2, 13) * _PRIME1 for n, lane in enumerate(lanes)]
            h = _rotate(lanes[0], 1) + _rotate(lanes[1], 7) + _rotate(lanes[2], 12) + _rotate(lanes[3], 18)
        else:
            h = np.full(len(columns[0]), _PRIME5, np.uint32)
        h = h + np.uint32(4 * size)
        for column in columns[whole:]:
            h = _rotate(h + column * _PRIME3, 17) * _PRIME4
        for shift, prime in ((15, _PRIME2), (13, _PRIME3), (16, np.uint32(1))):
            h = (h ^ (h >> np.uint32(shift))) * prime
    return h


def folded_words(text: str) -> str:
    """Words in lower case, one space apart: two headlines or lines that differ in typography only are one. Of what is longer, the start."""
    return " ".join(_PLAIN_WORD.findall(unicodedata.normalize("NFKC", text[:LONGEST_FOLDED]).casefold()))
