"""What an answer to a look is worth: whether it is whole, a page in a feed's place, a failure of which grade. Pure."""

from __future__ import annotations

import hashlib
import re

from syndtrack.models import FailureGrade
from syndtrack.polling.fetch import Answer
from syndtrack.polling.headers import media_type

_ROOT = re.compile(rb"<((?:[A-Za-z][\w.-]{0,30}:)?(?:rss|feed|rdf|urlset|sitemapindex))[\s>]", re.IGNORECASE)
_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s{0,1000}(?:<!--.{0,1000}?-->\s{0,1000})?<(?:!doctype\s{1,9}html|html)[\s>]", re.IGNORECASE | re.DOTALL
)


def body_hash(body: bytes) -> str:
    """What tells whether a feed's body is the one of the last look."""
    return hashlib.sha256(body).hexdigest()[:32]


def grade_of(status: int) -> FailureGrade:
    """How bad a status is that is no success: 4xx are the asker's to mend, but for those that say "not now"."""
    if status in (408, 425, 429, 503, 511):
        return "temporary"
    return "hard" if 400 <= status < 500 else "soft"


def breaks_off(body: bytes, framed: bool) -> bool:
    """Whether the end of a feed is missing, as far as its bytes tell. Not where they are in UTF-16 or in no form that is known."""
    if body[:100].lstrip().startswith(b"{"):
        return not body.rstrip().endswith(b"}")
    if (root := _ROOT.search(body[:4_000])) is not None:
        is_empty = body[: body.find(b">", root.start())].endswith(b"/")
        return not is_empty and b"</" + root[1].lower() not in body[-100_000:].lower()
    return not framed and b"\0" not in body[:100] and _PAGE.match(body[:4_000]) is None


def is_page(answer: Answer) -> bool:
    """Whether an answer is a page for people, by its type or its first bytes."""
    return media_type(answer.content_type) in ("text/html", "application/xhtml+xml") or _PAGE.match(answer.body[:4_000]) is not None
