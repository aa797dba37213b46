"""HTML as lines: parsing that survives hostile pages, and the visible text of a tree, line by line with its links.

Nothing here recurses: pages nest as deep as they like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import urljoin

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from syndtrack.urls import MAX_URL, is_http

MAX_LINES = 20_000
# C code recurses over trees. Pages that nest deeper are read again with the elements that nest as line breaks.
MAX_DEPTH = 256
_NESTING = re.compile(
    r"</?(?!(?:a|p|br|h[1-6]|script|style|title|meta|link|head|html|body|time|nav|footer|aside|form)[\s/>])[a-z][^<>]*>", re.I
)

# Trees take quadratic time for the attributes of one element: 50,000 of them, half a minute and more. Real ones have up to 64.
MAX_ATTRIBUTES = 100

# Reading takes 10 microseconds and more for each. The largest of 181 real pages has 1,600.
MAX_ELEMENTS = 50_000

# Elements whose text readers of an article do not see.
UNSEEN = frozenset(
    """
    script style noscript template head title iframe object embed svg canvas map math audio video select option textarea button input
    datalist dialog nav menu
    """.split()  # noqa: SIM905 - read as a list of words
)
INLINE = frozenset(
    """
    a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q ruby s samp small span strike strong sub sup
    time tt u var wbr hi ref img picture source graphic rt rp
    """.split()  # noqa: SIM905 - read as a list of words; hi, ref and graphic are trafilatura's
)
BREAKS = frozenset({"br", "hr", "lb"})
_BLANKS = re.compile(r"[\s\u200b\ufeff\u00ad\ud800-\udfff]+")
_CELLS = frozenset({"td", "th", "cell"})
_LINKS = frozenset({"a", "ref"})

Tree = Any  # lxml ships no types


@dataclass(slots=True)
class Line:
    """One visible line: its text, the block element it stands in, and its links as (address as written, anchor)."""

    text: str
    block: Tree
    links: list[tuple[str, str]] = field(default_factory=list)


def parse(html: str) -> Tree | None:
    """The tree of a page or fragment, of its first 50,000 elements; None where there is no element in it.

    Comments and processing instructions are dropped.
    """
    cleaned = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", html)
    tree, is_cut = _parse(cleaned)
    return _parse(_NESTING.sub("<br>", cleaned))[0] if is_cut else tree


class _EnoughError(Exception):
    """Ends the parsing of a page that has too many elements."""


class _TooDeepError(_EnoughError):
    """Ends the parsing of a page that nests too deep."""


class _Builder:
    """Builds the tree of what libxml2's parser tells. Its bounds hold however a page is written (quotes, comments, scripts)."""

    def __init__(self) -> None:
        self._builder = etree.TreeBuilder(element_factory=_ELEMENTS.makeelement)
        self._depth = self._count = 0
        self.data = self._builder.data
        self.root: Tree | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _TooDeepError
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise _EnoughError
        if len(attributes) > MAX_ATTRIBUTES:
            attributes = dict(islice(attributes.items(), MAX_ATTRIBUTES))
        element = self._builder.start(tag, attributes)
        if self.root is None:
            self.root = element

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._builder.end(tag)

    def close(self) -> Tree | None:
        return self.root


_ELEMENTS = HTMLParser()


def _parse(html: str) -> tuple[Tree | None, bool]:
    """The tree, and whether it ends where the page nested too deep."""
    builder = _Builder()
    parser = HTMLParser(encoding="utf-8", no_network=True, target=builder)
    try:
        # As bytes: a string that names its own encoding is refused. Half surrogates have no bytes.
        return document_fromstring(html.encode("utf-8", "replace"), parser=parser), False
    except _EnoughError as error:
        return builder.root, isinstance(error, _TooDeepError)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError):
        return None, False


def drop(tree: Tree, tags: frozenset[str]) -> None:
    """Take elements out of a tree, in place, leaving the text behind them.

    lxml's `drop_tree` would join that text anew for each of a row of elements, which takes quadratic time.
    """
    for parent in dict.fromkeys(element.getparent() for element in tree.iter(*tags)):
        kept, behind = None, list[str]()
        for child in () if parent is None else list(parent):
            if child.tag in tags:
                behind.append(child.tail or "")
                parent.remove(child)
            else:
                _append(parent, kept, behind)
                kept, behind = child, []
        _append(parent, kept, behind)


def _append(parent: Tree, child: Tree | None, texts: list[str]) -> None:
    """Add texts behind a child, or before the first."""
    if not texts:
        return
    if child is None:
        parent.text = (parent.text or "") + "".join(texts)
    else:
        child.tail = (child.tail or "") + "".join(texts)


def squeezed(text: str) -> str:
    """White space, also the kinds of no width and half surrogates (which have no bytes), as single blanks."""
    return _BLANKS.sub(" ", text).strip()


def lines(tree: Tree, skip: frozenset[str] = UNSEEN) -> Iterator[Line]:
    """The visible lines of a tree in order, at most 20,000, without those of `skip` elements.

    A line ends where a block or a break does; cells share their row's line.
    """
    count = 0
    for line in _raw_lines(tree, skip):
        text = squeezed(line.text)
        if text:
            line.text = text
            yield line
            count += 1
            if count >= MAX_LINES:
                return


def _raw_lines(tree: Tree, skip: frozenset[str]) -> Iterator[Line]:
    unfinished = _Unfinished(tree)
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else ""
        is_start = event == "start"
        if is_start and tag in skip:
            walk.skip_subtree()
        elif tag not in skip:
            ended = unfinished.start(element, tag) if is_start else unfinished.end(tag)
            if ended is not None:
                yield ended
            if is_start:
                unfinished.add(element.text)
        if not is_start and element is not tree:
            unfinished.add(element.tail)
    if (ended := unfinished.cut()) is not None:
        yield ended


class _Unfinished:
    """The line that is being read, the blocks around it, and the link that is open."""

    def __init__(self, tree: Tree) -> None:
        self.blocks = [tree]
        self.parts: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.anchor: tuple[str, int] | None = None

    def add(self, text: str | None) -> None:
        if text:
            self.parts.append(text)

    def cut(self) -> Line | None:
        """End the line here; None where there is nothing in it."""
        ended = Line("".join(self.parts), self.blocks[-1], self.links) if self.parts else None
        self.parts, self.links = [], []
        return ended

    def start(self, element: Tree, tag: str) -> Line | None:
        if tag in _LINKS:
            self.anchor = (element.get("href") or element.get("target") or "", len(self.parts))
        if tag in _CELLS:
            self.parts.append(" ")
        if tag in INLINE or tag in _CELLS:
            return None
        ended = self.cut()
        if tag not in BREAKS:
            self.blocks.append(element)
        return ended

    def end(self, tag: str) -> Line | None:
        if tag in _LINKS and self.anchor is not None:
            words = squeezed("".join(self.parts[self.anchor[1] :]))
            if words and self.anchor[0]:
                self.links.append((self.anchor[0], words))
            self.anchor = None
        if tag in INLINE or tag in _CELLS:
            return None
        ended = self.cut()
        if tag not in BREAKS and len(self.blocks) > 1:
            self.blocks.pop()
        return ended


def absolute(base: str, address: str) -> str | None:
    """An address in a page as an absolute http(s) one; None for any other, and for one too long to be asked for.

    As a base it would be gone through for each of a page's links.
    """
    if not address.strip() or len(address) > MAX_URL:
        return None
    try:
        found = urljoin(base, re.sub(r"[\t\r\n]", "", address.strip()).replace(" ", "%20"))
    except ValueError:
        return None
    return found if is_http(found) else None
