"""Furniture: the lines that a publisher repeats from page to page, learned by counting instead of listed.

A store keeps, for each publisher, in how many of its distinct articles a line's key stands in the current text: one more when an article
comes, one less when it goes. What is furniture follows from those counts alone, so that it does not depend on the order of arrival, and
a line that vanishes from the pages stops being furniture. Counts of one publisher say nothing of another: agency text that fifty
publishers print once each is never furniture.
"""

from __future__ import annotations

import re
import unicodedata

import xxhash

from ..words import is_overlong
from .text_lines import text_lines

# Longer lines are no furniture. Of 2,114 news pages of 146 outlets, the lines that stand on five pages and a tenth of their outlet's are 21
# below 100 code points, one of 103 and one of 290, all furniture; of the two beyond 400, one is a paragraph of a series.
LONGEST_LINE = 300

# Fewer pages prove nothing: an outlet of five articles, all on one running story, repeats its background in all of them. After eight pages
# an outlet's furniture is known; until then the line rules must do.
FEWEST_PAGES = 8

# With masked numbers, the lines that recur most on 19,043 pages of one agency are rows of company results ("Revs 1 mln vs 2 mln": 5.0 % of
# them, "Net 1 vs 2": 3.2 %), which are what those pages say. Boxes stand on a tenth to all pages of an outlet (most of the above on more
# than a third); the box of a desk that writes less than a tenth of its outlet stays: the price of not touching such rows.
SMALLEST_SHARE = 0.1

_DIGITS = re.compile(r"\d+")


def line_key(line: str) -> int | None:
    """The signed 64-bit key of a line (xxh3), alike for lines that differ only in case, width of characters, white space and numbers.

    None for a line without any letter or digit and for one of more than 300 code points. Numbers are masked because counters, prices and
    dates within furniture change ("3 comments", "Updated 9:41").
    """
    if len(line) > LONGEST_LINE or is_overlong(line, 2 * LONGEST_LINE):
        return None
    folded = line.lower() if line.isascii() else unicodedata.normalize("NFKC", line).casefold()
    normal = " ".join(folded.split())
    if not any(map(str.isalnum, normal)):
        return None
    value: int = xxhash.xxh3_64_intdigest(_DIGITS.sub("0", normal).encode("utf-8", "surrogatepass"))
    return value - (1 << 64) if value >> 63 else value


def line_keys(text: str) -> frozenset[int]:
    """The keys of a text's lines (of very many those at both ends, which alone can be cut) that have one."""
    return frozenset(keyed_lines(text))


def keyed_lines(text: str) -> dict[int, str]:
    """The same with the line of each key, the last of lines that are alike."""
    lines = (text[start:end] for start, end in text_lines(text))
    return {key: line for line in lines if (key := line_key(line)) is not None}


def is_furniture(pages: int, articles: int) -> bool:
    """Whether a line that stands in `pages` of a publisher's `articles` distinct articles is furniture: in eight and a tenth of them."""
    return pages >= FEWEST_PAGES and pages >= SMALLEST_SHARE * articles
