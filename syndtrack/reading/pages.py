"""Articles: from what was submitted to what it says of itself.

A text is taken as it stands, so that offsets fit what was given. A page is read for its lines (`body`) and for what it states about itself
(`structure`). The piece of HTML that a feed carries is a body already: all its lines are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from syndtrack.errors import ArticleError
from syndtrack.models import Link, Reading, Submission
from syndtrack.reading.body import article_lines, unfold_layout
from syndtrack.reading.markup import Line, absolute, drop, lines, parse
from syndtrack.reading.structure import MAX_TITLE, describe

MAX_SIZE = 5_000_000
MAX_LINKS = 200
MAX_ANCHOR = 500
MOST_LINKED = 2_000
# A line of the page is the article's if it is one of its lines, or is held by one and is this long: "Home" is held by many texts.
HELD_LINE = 40
LONGEST_SEARCHED = 500_000  # code points of a text in which lines are looked for; 2,000 times 5 million took seconds

_WHOLE_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body|frameset)[\s>]", re.I)
_OTHER_FORMATS = ("%PDF-", "\x89PNG", "PK\x03\x04", "GIF8", "\xff\xd8\xff", "{\\rtf")
# Often most of a page, and copied at each of the extractor's steps.
_DEAD = frozenset({"script", "style", "svg", "template", "iframe"})
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\ufffd]")
# What no database takes: NUL, and half surrogates, which JSON can write as escapes and which have no bytes.
_UNKEEPABLE = re.compile(r"[\x00\ud800-\udfff]")


def read(submission: Submission) -> Reading:
    """What an article says of itself. Paragraphs of the text of a page are parted by one newline.

    Raises ArticleError for what is too large (over 5 million characters), no HTML, or without text; nothing else.
    """
    size = len(submission.text or "") + len(submission.html or "")
    if size > MAX_SIZE:
        raise ArticleError(submission.url, f"too large: {size:,} characters, at most {MAX_SIZE:,} are read")
    if submission.text is not None:
        return _read_text(submission, submission.text)
    html = submission.html or ""
    if html.startswith(_OTHER_FORMATS) or len(_CONTROL.findall(html[:1_000])) > 100:
        raise ArticleError(submission.url, "not HTML")
    return _read_page(submission, html) if _WHOLE_PAGE.search(html[:10_000]) else _read_fragment(submission, html)


def _read_text(submission: Submission, given: str) -> Reading:
    text = _UNKEEPABLE.sub("", given.replace("\r\n", "\n"))
    if not text.strip():
        raise ArticleError(submission.url, "without text")
    return Reading(title=_given_title(submission), text=text, published=submission.published)


def _given_title(submission: Submission) -> str:
    return _UNKEEPABLE.sub("", (submission.title or "")[:MAX_TITLE])


def _read_fragment(submission: Submission, html: str) -> Reading:
    tree = parse(html)
    found = list(lines(tree)) if tree is not None else []
    if not found:
        raise ArticleError(submission.url, "without text")
    text = "\n".join(line.text for line in found)
    return Reading(_given_title(submission), text, submission.published, links=_links(found, submission.url))


def _read_page(submission: Submission, html: str) -> Reading:
    tree = parse(html)
    if tree is None:
        raise ArticleError(submission.url, "without text")
    described = describe(tree, submission.url)
    drop(tree, _DEAD)
    unfold_layout(tree)
    page = list(lines(tree))
    text = "\n".join(article_lines(tree, page, described.headlines, described.body))
    if not text:
        raise ArticleError(submission.url, "without text")
    return Reading(
        title=_given_title(submission) or described.title or "",
        text=text,
        published=described.published or submission.published,
        canonical=described.canonical,
        links=_links(_inside(page, text), described.base),
        stated=described.stated,
        beside=described.beside,
    )


def _inside(page: Iterable[Line], text: str) -> Iterator[Line]:
    """Those of a page's lines that hold links and are in the article."""
    own, searched = set(text.split("\n")), text if len(text) <= LONGEST_SEARCHED else ""
    linked = [line for line in page if line.links][:MOST_LINKED]
    return (line for line in linked if line.text in own or (len(line.text) >= HELD_LINE and line.text in searched))


def _links(found: Iterable[Line], base: str) -> tuple[Link, ...]:
    links: list[Link] = []
    for line in found:
        for address, anchor in line.links:
            if len(links) == MAX_LINKS:
                return tuple(links)
            if (url := absolute(base, address)) is not None:
                links.append(Link(url, anchor[:MAX_ANCHOR]))
    return tuple(links)
