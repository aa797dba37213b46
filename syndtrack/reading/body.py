"""The lines of a page that are the article: trafilatura's choice, set right against the page's own lines.

trafilatura (Barbaresi 2021, https://aclanthology.org/2021.acl-demo.15/) is asked for precision, which takes most boxes out. Then:

- tables that only lay out the page become plain blocks beforehand, or their cells come back as rows of a table;
- short lines that it dropped from between the paragraphs come back where they are credits or pointers to other articles: both are
  evidence of where a text was, and cleaning takes them out again with a span; so do sentences that look like their neighbours;
- where it missed most of the page's paragraphs (bodies in several containers), the containers that hold the paragraphs are taken whole;
- the headline, and what only serves the page (share, print, comments), goes from both ends.

On 181 real pages (2019, scrapinghub's benchmark) this gives a word F1 of .976, trafilatura's defaults .959.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree
from trafilatura.core import bare_extraction

from syndtrack.publishers import Registry
from syndtrack.reading.credits import find_credits
from syndtrack.reading.markup import Line, Tree, lines
from syndtrack.reading.removal_rules import fold, rule_of

# A line that may come back, or be a headline.
LONGEST_REJOINED = 300
# How far from the nearest line of the body a lost credit may stand, in lines.
FARTHEST = 5
# Lines that are looked at for credits on one page.
MOST_JUDGED = 200
MANY_LINES = 3_000
# The extractor's steps take elements out one by one and join the text behind them each time, which is quadratic: 5 MB took many minutes.
# Beyond these bounds the page's own containers are taken, or all lines for want of them. Of 181 real pages the largest has 91,000
# characters of text and 1,600 elements.
MOST_TEXT = 300_000
MOST_ELEMENTS = 20_000
# And it asks of elements what is around them. This is the sum of their depths; of those pages it is 22,000 at most.
MOST_ANCESTORS = 500_000
LONGEST_SEARCHED = 200_000
# A paragraph of prose: longer than any headline or teaser line. Of what it holds, links are less than this share.
PROSE = 80
LINK_SHARE = 0.4
# A sentence that looks like its neighbours: shorter ones are often buttons and labels.
SENTENCE = 60
# Containers are taken whole where the extractor missed this share of their prose, and at least this many characters.
MISSED = 0.2
MISSED_LENGTH = 500
# Where it found less than this share of the largest container, it found something else.
SMALL_BODY = 0.3

# It warns of every page without text; we refuse those with a reason of our own.
logging.getLogger("trafilatura").addHandler(logging.NullHandler())

_AROUND = frozenset({"aside", "footer", "nav", "header", "figure", "dialog"})
_AROUND_MARKS = re.compile(
    r"(?<![a-z])(?:comments?|respond|disqus|related|recommend(?:ed|ations?)|recirc|most-?read|popular|trending|sidebar|footer|newsletter|cookies?|consent|"
    r"share|social|promo|outbrain|taboola|advert(?:isement)?|teasers?|bio)(?![a-z])",
    re.I,
)
_PARAGRAPHS = frozenset({"p", "li", "h2", "h3", "h4", "h5", "h6", "blockquote", "dd", "dt", "pre", "ul", "ol", "dl"})
_CELLS = frozenset({"td", "th"})
_TABLE_PARTS = frozenset({"tbody", "thead", "tfoot", "tr", "td", "th"})
_CELL_PARAGRAPHS = frozenset({"p", "br", "div"})
_BACK = frozenset({"republication", "wire", "hat-tip"})
_SERVING = frozenset({"comments", "chrome", "sharing", "advert", "cookie-note"})
_NOBODY = Registry({})


def article_lines(tree: Tree, page: Sequence[Line], headlines: Sequence[str], stated_body: str | None) -> list[str]:
    """The article's lines in order.

    `page` are all visible lines of `tree`, `headlines` the forms of its title, `stated_body` the text that JSON-LD gives. Raises nothing.
    """
    if not page:
        return []
    # The comparison with jusText is quadratic in short paragraphs; real pages have some hundred lines.
    fast = len(page) > MANY_LINES
    is_huge = sum(map(len, tree.itertext())) > MOST_TEXT or _has_many_elements(tree)
    core = [] if is_huge else _extracted(tree, favor_precision=True, fast=fast) or _extracted(tree, favor_precision=False, fast=fast)
    found = _rejoined(core, page) if core else []
    found = _with_split_body(found, page) or [line.text for line in page if is_huge]
    if stated_body and len(stated_body) > 1.5 * sum(map(len, found)):
        found = [line for line in stated_body.splitlines() if line.strip()]
    return _trimmed(found, headlines)


def _has_many_elements(tree: Tree) -> bool:
    count = depth = ancestors = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        count, depth, ancestors = count + 1, depth + 1, ancestors + depth
        if count > MOST_ELEMENTS or ancestors > MOST_ANCESTORS:
            return True
    return False


def _extracted(tree: Tree, *, favor_precision: bool, fast: bool) -> list[str]:
    try:
        found = bare_extraction(tree, include_comments=False, favor_precision=favor_precision, fast=fast)
    except Exception:  # hundreds of steps over hostile markup (RecursionError, lxml's errors); the page's own lines remain
        return []
    body = getattr(found, "body", None)
    return [line.text for line in lines(body, frozenset())] if body is not None else []


def _key(text: str) -> str:
    """Letters and digits in lower case: equal for a line however it was spaced."""
    return "".join(filter(str.isalnum, text.casefold()))


class _Held:
    """Whether a line stands in given lines, whole or as a part of one."""

    def __init__(self, found: Sequence[str]) -> None:
        keys = [_key(text) for text in found]
        self.whole = frozenset(keys)
        # Looking a line up in long texts takes long, and hostile pages have many lines.
        self.joined = "".join(keys) if sum(map(len, keys)) <= LONGEST_SEARCHED else ""

    def __contains__(self, text: str) -> bool:
        key = _key(text)
        return key in self.whole or key in self.joined


def _form(block: Tree) -> tuple[str, str | None, Tree]:
    """What paragraphs of one body have in common."""
    return block.tag, block.get("class"), block.getparent()


def _is_prose(line: Line, shortest: int = PROSE) -> bool:
    return len(line.text) >= shortest and sum(len(words) for _, words in line.links) < LINK_SHARE * len(line.text)


def _container(block: Tree) -> Tree:
    """What a paragraph or list stands in; lists within lists are followed twenty levels up."""
    for _ in range(20):
        if block.tag not in _PARAGRAPHS or block.getparent() is None:
            break
        block = block.getparent()
    return block


class _Around:
    """Which elements stand around articles rather than in them; remembers what it has looked at."""

    def __init__(self) -> None:
        self._known: dict[Tree, bool] = {}

    def holds(self, element: Tree) -> bool:
        """Whether an element is, or lies in, a sidebar, footer, comment area or the like."""
        path: list[Tree] = []
        found = False
        while element is not None:
            if (known := self._known.get(element)) is not None:
                found = known
                break
            path.append(element)
            if element.tag not in {"body", "html", "main", "article"} and (
                element.tag in _AROUND or _AROUND_MARKS.search(f"{element.get('class') or ''} {element.get('id') or ''}")
            ):
                found = True
                break
            element = element.getparent()
        self._known.update(dict.fromkeys(path, found))
        return found


def _rejoined(core: list[str], page: Sequence[Line]) -> list[str]:
    """The extracted lines with the credits and pointers that the page has between, before or after them in the same container."""
    places = {_key(text): number for number, text in reversed(list(enumerate(core)))}
    matched = [places.get(_key(line.text)) for line in page]
    known = [number for number, place in enumerate(matched) if place is not None]
    if not known:
        return core
    weight = _weight(page[number].block for number in known)
    forms = Counter(_form(page[number].block) for number in known)
    held, judged, before = _Held(core), 0, -1
    extra: dict[int, list[str]] = {}
    for number in range(max(0, known[0] - FARTHEST), min(len(page), known[-1] + FARTHEST + 1)):
        line, place = page[number], matched[number]
        if place is not None:
            before = place
        elif judged < MOST_JUDGED and len(line.text) <= LONGEST_REJOINED and _is_inside(line.block, weight) and line.text not in held:
            judged += 1
            if _is_evidence(line.text) or (_is_prose(line, SENTENCE) and forms[_form(line.block)] >= 2):
                extra.setdefault(before, []).append(line.text)
    result = list(extra.get(-1, ()))
    for number, text in enumerate(core):
        result += [text, *extra.get(number, ())]
    return result


def _weight(blocks: Iterable[Tree]) -> dict[Tree, int]:
    """How many lines of the body each element holds, itself or through three levels."""
    weight: dict[Tree, int] = {}
    for block in blocks:
        element = block
        for _ in range(4):
            if element is not None:
                weight[element] = weight.get(element, 0) + 1
                element = element.getparent()
    return weight


def _is_inside(block: Tree, weight: dict[Tree, int]) -> bool:
    """Whether a block, or one of the two elements around it, directly holds several lines of the body."""
    for _ in range(3):
        if block is None:
            return False
        if weight.get(block, 0) >= 2:
            return True
        block = block.getparent()
    return False


def _is_evidence(text: str) -> bool:
    """Whether a line credits somebody or points to another article."""
    rule = rule_of(fold(text))
    return (rule is not None and rule.name == "read-also") or any(c.kind in _BACK for c in find_credits(text, _NOBODY))


def _with_split_body(found: list[str], page: Sequence[Line]) -> list[str]:
    """The lines as they are, or those of whole containers where the body lies in several of one kind and most of its prose was missed."""
    around, joined = _Around(), _Held(found)
    prose = [line for line in page if _is_prose(line) and not around.holds(line.block)]
    mass: dict[Tree, int] = {}
    held: dict[Tree, int] = {}
    for line in prose:
        element = _container(line.block)
        mass[element] = mass.get(element, 0) + len(line.text)
        held[element] = held.get(element, 0) + len(line.text) * (line.text in joined)
    if not mass:
        return found
    largest, main = max(mass, key=mass.__getitem__), max(held, key=held.__getitem__)
    if held[main] < SMALL_BODY * mass[largest]:
        main = largest
    chosen = {element for element in mass if element is main or _are_alike(element, main)}
    lost = sum(mass[e] - held[e] for e in chosen)
    if lost < MISSED_LENGTH or lost < MISSED * sum(mass[e] for e in chosen):
        return found
    return [line.text for line in page if _container(line.block) in chosen and not around.holds(line.block)]


def _are_alike(one: Tree, other: Tree) -> bool:
    return bool(one.get("class")) and one.tag == other.tag and one.get("class") == other.get("class")


def _trimmed(found: list[str], headlines: Sequence[str]) -> list[str]:
    """Without the headline among the first lines, and without lines at either end that only serve the page."""
    heads = {key for h in headlines if (key := _key(h))}
    for number, text in enumerate(found[:4]):
        key = _key(text)
        if key and any(
            key == head or (len(key) > 20 and (head.startswith(key) or (key.startswith(head) and len(key) < len(head) + 15)))
            for head in heads
        ):
            found = found[:number] + found[number + 1 :]
            break
    start, end = 0, len(found)
    while end > start and _only_serves(found[end - 1]):
        end -= 1
    while start < end and _only_serves(found[start]):
        start += 1
    return found[start:end]


def _only_serves(text: str) -> bool:
    rule = rule_of(fold(text)) if len(text) <= LONGEST_REJOINED else None
    return rule is not None and rule.name in _SERVING


def unfold_layout(tree: Tree) -> None:
    """Turn tables that lay out a page (they hold tables, or paragraphs within cells) into plain blocks, in place."""
    if next(tree.iter("table"), None) is None:
        return
    for table in _tables(tree):
        if table.lays_out:
            for element in table.parts:
                element.tag = "div"


@dataclass(slots=True)
class _Table:
    """A table: itself and its rows and cells, without those of tables within."""

    parts: list[Tree]
    lays_out: bool = False


def _tables(tree: Tree) -> list[_Table]:
    """All tables, found in one walk: a look into each of nested tables takes quadratic time."""
    walk = _TableWalk()
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        (walk.start if event == "start" else walk.end)(element)
    return walk.found


class _TableWalk:
    """The tables and cells that are open on a walk through a tree, and how much it has passed."""

    def __init__(self) -> None:
        self.found: list[_Table] = []
        self._open: list[_Table] = []
        self._nearest: list[_Table | None] = [None]  # the open tables and, as None, the open div elements
        self._cells: list[tuple[int, int]] = []  # for each open one, the paragraphs and the text passed before it
        self._paragraphs = self._length = 0

    def start(self, element: Tree) -> None:
        tag = element.tag
        if tag in _CELLS:
            self._cells.append((self._paragraphs, self._length))
        if tag in _TABLE_PARTS and self._nearest[-1] is not None:
            self._nearest[-1].parts.append(element)
        elif tag == "table":
            if self._open:
                self._open[-1].lays_out = True
            table = _Table([element])
            self.found.append(table)
            self._open.append(table)
            self._nearest.append(table)
        elif tag == "div":
            self._nearest.append(None)
        self._paragraphs += tag in _CELL_PARAGRAPHS
        self._length += len(element.text or "")

    def end(self, element: Tree) -> None:
        tag = element.tag
        if tag in _CELLS:
            paragraphs, length = self._cells.pop()
            if self._open and self._paragraphs - paragraphs >= 4 and self._length - length > 400:
                self._open[-1].lays_out = True
        elif tag == "table":
            self._open.pop()
        if tag in {"table", "div"}:
            self._nearest.pop()
        self._length += len(element.tail or "")
