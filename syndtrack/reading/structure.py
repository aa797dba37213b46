"""What a page states outside its text: headline, date, canonical address, and sources, from its head, its JSON-LD and its microdata.

Sources are looked for where publishers put them on purpose: the canonical link to another site, `syndication-source` and
`original-source` (Google's, https://news.googleblog.com/2010/11/credit-where-credit-is-due.html), schema.org's `isBasedOn`,
`creditText`, `sourceOrganization`, and a `publisher` or `provider` on whose site the canonical address lies: elsewhere those two are mostly
the owner, the profile in a network or the system that serves the page. What names the page's own site is no source, nor is what an
article is about: a study with its DOI, a data set, a book.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, islice
from urllib.parse import urlsplit

from syndtrack.models import Credit
from syndtrack.publishers import fold
from syndtrack.reading.dates import parse_date
from syndtrack.reading.markup import Tree, absolute, lines, parse, squeezed
from syndtrack.urls import is_http, registrable_domain

MAX_TITLE = 1_000
MAX_JSON = 1_000_000
MAX_NODES = 2_000
MAX_STATED = 20
MAX_BESIDE = 20
LONGEST_BYLINE = 200
LONGEST_CAPTION = 600
# A byline or caption holds fewer elements and less text, seen or not. Thirty, each around all of a page of 600 KB, took over nine seconds.
MOST_WITHIN = 500
LONGEST_WITHIN = 20_000

# In the order in which they are believed.
_DATE_META = (
    "article:published_time", "og:article:published_time", "article:published", "article.published", "pdate", "datepublished",
    "date_published", "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date.created",
    "pubdate", "publishdate", "publish-date", "publication_date", "citation_publication_date", "dc.date", "dcterms.date", "date",
)  # fmt: skip
_SOURCE_META = ("syndication-source", "original-source", "dc.source", "dcterms.source")
_ARTICLE_TYPES = re.compile(r"(?:Article|Posting|Report|Review|WebPage)$")
# Of these, the ones that tell of the text; a WebPage node tells of the system around it.
_TEXT_TYPES = re.compile(r"(?:Article|Posting|Report|Review)$")
# What a text can be taken from; an article based on a Dataset, a Book or a ScholarlyArticle tells of it.
_COPIED_TYPES = re.compile(r"^(?:CreativeWork|WebPage|\w*(?<!Scholarly)Article|\w*Posting|Report)$")
# Where studies and registers are looked up; no newspaper publishes there.
_REGISTERS = frozenset({"doi.org", "handle.net", "arxiv.org", "nih.gov", "wikidata.org", "orcid.org", "crossref.org", "schema.org"})
# Words that say of a credit that it is a picture's.
_PICTURE = re.compile(
    r"(?<![^\W_])(?:photo|foto|image|imag[ei][mn]|immagin[ei]|illustration|illustrazione|ilustraci|ilustraç|infographic|screenshot"
    # and what papers are called too: Bild, Daily Graphic
    r"|(?:video|bild|picture|graphic|grafik|still)s?(?=\s*[:©/]|\s+by\s)|shutterstock|istock|alamy|unsplash|pixabay|getty|фото|зображення|изображение)|写真|画像|图片|圖片|사진|صورة|तस्वीर|फोटो",
    re.I,
)
# Copies that search engines serve: "paper-example.cdn.ampproject.org/c/s/paper.example/a", "google.com/amp/s/paper.example/a".
_PROXIED = re.compile(
    r"https?://(?:[^/?#]{1,200}\.)?(?:(?:cdn\.ampproject\.org|bing-amp\.com)/[a-z]{1,3}|google\.[a-z.]{2,6}/amp)/(s/)?"
    r"(?=[^/?#]{1,200}\.[^/?#]{2})",
    re.I,
)
_SUFFIX = re.compile(r"\s+(?:[|\-–—»·•/]|::?)\s+|:\s+")
# In class, id, itemprop or rel, as a word or part of a compound ("entry-byline", "author_name").
_BYLINE = re.compile(r"(?<![a-z])(?:byline|authors?|autor|auteur|autore|autorin|writer|signature)(?![a-z])", re.I)
_CAPTION = re.compile(r"(?<![a-z])(?:figcaption|caption|photo-?credit|image-?credit|media-?credit)(?![a-z])", re.I)
_HALVES = re.compile(r"[\ud800-\udfff]")  # half surrogates, which JSON can write: no bytes stand for them
_MARKS = ("class", "id", "itemprop", "rel")


@dataclass(frozen=True, slots=True)
class Description:
    """What a page says of itself outside its text.

    `headlines` are all forms of the title that the page has, the chosen one first. `beside` are visible lines outside the running text
    that may hold credits: pairs of "byline" or "caption" and the line. `body` is JSON-LD's articleBody as plain text, `base` what
    addresses are relative to.
    """

    title: str | None
    headlines: tuple[str, ...]
    published: datetime | None
    canonical: str | None
    stated: tuple[Credit, ...]
    beside: tuple[tuple[str, str], ...]
    body: str | None
    base: str


def describe(tree: Tree, url: str) -> Description:
    """Read a parsed page that came from `url`. Raises nothing."""
    meta = _meta(tree)
    nodes = list(_json_ld(tree))
    articles = [n for n in nodes if _is_article(n)]
    base = next((b for e in tree.iter("base") if (b := absolute(url, e.get("href") or ""))), url)
    canonical = _canonical(tree, base, url)
    site = _Site(_unproxied(url), meta.get("og:site_name", ""))
    headlines = _headlines(tree, meta, articles, site)
    return Description(
        title=headlines[0] if headlines else None,
        headlines=headlines,
        published=_published(tree, meta, articles),
        canonical=canonical,
        stated=tuple(_stated(meta, [a for a in articles if _is_a(a, _TEXT_TYPES)], canonical, site, url))[:MAX_STATED],
        beside=_beside(tree, meta, articles),
        body=next((b for n in articles if (b := _plain_body(n.get("articleBody")))), None),
        base=base,
    )


class _Site:
    """The page's own site, to tell others from it."""

    def __init__(self, url: str, name: str) -> None:
        self.domain = registrable_domain(url).removeprefix("www.")
        self.label = self.domain.partition(".")[0]
        self.names = {fold(name), fold(self.label), fold(self.domain)} - {""}

    def holds(self, address: str) -> bool:
        """Whether an address lies on this site, or on its sister under another ending (example.de of example.com)."""
        domain = registrable_domain(address).removeprefix("www.")
        return domain == self.domain or domain.partition(".")[0] == self.label

    def is_called(self, name: str) -> bool:
        """Whether a name is this site's."""
        return fold(name) in self.names


def _meta(tree: Tree) -> dict[str, str]:
    """The first content of each meta element by its name, property or itemprop in lower case."""
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        key = (element.get("property") or element.get("name") or element.get("itemprop") or "").strip().lower()
        content = squeezed(element.get("content") or "")
        if key and content:
            found.setdefault(key, content[:4_000])
    return found


def _json_ld(tree: Tree) -> Iterator[dict[str, object]]:
    """The objects of the page's JSON-LD, outermost first; at most 2,000 nodes, objects and lists, are looked at."""
    budget = MAX_NODES
    for script in tree.iter("script"):
        if budget <= 0:
            return
        if "ld+json" not in (script.get("type") or "").lower() or len(script.text or "") > MAX_JSON:
            continue
        try:
            waiting: deque[object] = deque([json.loads(script.text or "", strict=False)])
        except (ValueError, RecursionError):
            continue
        while waiting and budget > 0:
            node = waiting.popleft()
            budget -= 1
            if isinstance(node, dict):
                yield node
            within = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            waiting.extend(v for v in within if isinstance(v, dict | list))


def _is_article(node: dict[str, object]) -> bool:
    return _is_a(node, _ARTICLE_TYPES) and bool(node.get("headline") or node.get("datePublished") or node.get("articleBody"))


def _is_a(node: dict[str, object], types: re.Pattern[str]) -> bool:
    kinds = node.get("@type")
    return any(isinstance(k, str) and types.search(k) for k in (kinds if isinstance(kinds, list) else [kinds]))


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _plain_body(value: object) -> str | None:
    """JSON-LD's articleBody as plain text: some sites put HTML there."""
    text = _HALVES.sub("", _string(value) or "")
    if not text.strip():
        return None
    if not re.search(r"<(?:p|br|div)\b", text, re.I):
        return text
    tree = parse(text)
    return "\n".join(line.text for line in lines(tree)) if tree is not None else None


def _name_and_address(value: object, base: str) -> Iterator[tuple[str | None, str | None]]:
    """Name and address of what a JSON-LD value stands for: text, an address, an object, or a list of these."""
    for one in value[:10] if isinstance(value, list) else [value]:
        if isinstance(one, str):
            address = absolute(base, one) if re.match(r"https?://", one.strip()) else None
            yield (None, address) if address else (squeezed(one)[:300] or None, None)
        elif isinstance(one, dict):
            name = _string(one.get("name"))
            stated = next((a for k in ("url", "@id") if (a := _string(one.get(k))) and a.startswith("http")), None)
            yield squeezed(name)[:300] if name else None, absolute(base, stated) if stated else None


def _canonical(tree: Tree, base: str, url: str) -> str | None:
    """The page's own claim of its address; a front page is none where the page itself is not one."""
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            found = _unproxied(absolute(base, link.get("href") or "") or "")
            if found and (urlsplit(found).path.strip("/") or urlsplit(found).query or not urlsplit(url).path.strip("/")):
                return found
    return None


def _unproxied(url: str) -> str:
    """The address behind a copy that a search engine serves; any other as it is."""
    proxied = _PROXIED.match(url)
    found = f"http{'s' if proxied[1] else ''}://{url[proxied.end() :]}" if proxied else url
    return found if is_http(found) else url


def _headlines(tree: Tree, meta: dict[str, str], articles: list[dict[str, object]], site: _Site) -> tuple[str, ...]:
    """The title in all its forms, without the site's name, the one to show first."""
    h1 = [t for e in islice(tree.iter("h1"), 3) if (t := _title_text(e))]
    page_title = next(map(_title_text, tree.iter("title")), "")
    stated = [meta.get("og:title", ""), *(h for a in articles if (h := _string(a.get("headline")))), meta.get("twitter:title", "")]
    shown = next((h for h in h1 if page_title and fold(h) and fold(h) in fold(page_title)), None)
    forms = [_without_site(t, site) for t in (*stated, shown or "", page_title, *h1)]
    unique = dict.fromkeys(squeezed(f)[:MAX_TITLE] for f in forms if f.strip())
    return tuple(unique)


def _title_text(element: Tree) -> str:
    """An element's text as a title, cut off: to fold 60,000 combining marks takes seconds, since they are put in order one by one."""
    return squeezed(element.text_content()[: 4 * MAX_TITLE])[:MAX_TITLE]


def _without_site(title: str, site: _Site) -> str:
    """A title without the site's name at its end or start."""
    title = squeezed(title[:MAX_TITLE])
    parts = list(_SUFFIX.finditer(title))
    if parts and site.is_called(title[parts[-1].end() :]):
        return title[: parts[-1].start()]
    if parts and site.is_called(title[: parts[0].start()]):
        return title[parts[0].end() :]
    return title


def _published(tree: Tree, meta: dict[str, str], articles: list[dict[str, object]]) -> datetime | None:
    """The first date of publication that can be read."""
    stated: list[str | None] = [meta.get("article:published_time"), *(_string(a.get("datePublished")) for a in articles)]
    stated += [meta.get(key) for key in _DATE_META]
    times = [t for t in list(tree.iter("time"))[:20] if t.get("datetime")]
    times.sort(key=lambda t: "published" not in (t.get("itemprop") or "").lower() and t.get("pubdate") is None)
    stated += [t.get("datetime") for t in times]
    return next((when for text in stated if (when := parse_date(text))), None)


def _stated(meta: dict[str, str], articles: list[dict[str, object]], canonical: str | None, site: _Site, url: str) -> Iterator[Credit]:
    for field in _SOURCE_META:
        for name, address in _name_and_address(meta.get(field), url):
            yield from _credit(field, name, address, site)
    if canonical:
        yield from _credit("canonical", None, canonical, site)
    for article in articles[:5]:
        yield from _stated_in(article, canonical, site, url)


def _stated_in(article: dict[str, object], canonical: str | None, site: _Site, url: str) -> Iterator[Credit]:
    """The sources that an article's JSON-LD node states."""
    for field in ("isBasedOn", "isBasedOnUrl"):
        for name, address in _name_and_address(_copied(article.get(field)), url):
            if registrable_domain(address or "") not in _REGISTERS:
                yield from _credit(field, name, address, site)
    yield from _credited_houses(article, canonical, site, url)


def _credited_houses(article: dict[str, object], canonical: str | None, site: _Site, url: str) -> Iterator[Credit]:
    own = {fold(n) for n, a in _name_and_address(article.get("publisher"), url) if n and not (a and _is_elsewhere(a, canonical, site))}
    for field in ("sourceOrganization", "creditText"):
        for name, address in _name_and_address(article.get(field), url):
            if name and field == "creditText" and _PICTURE.search(name):
                yield Credit("media", name, name=name, field=field)
            elif not (name and address is None and fold(name) in own):
                yield from _credit(field, name, address, site)
    for field in ("provider", "publisher"):
        for name, address in _name_and_address(article.get(field), url):
            if name and address and _is_elsewhere(address, canonical, site):
                yield from _credit(field, name, address, site)


def _copied(stated: object) -> list[object]:
    """Those of the works stated that a text can be copied from."""
    works = stated[:10] if isinstance(stated, list) else [stated]
    return [w for w in works if not isinstance(w, dict) or not w.get("@type") or _is_a(w, _COPIED_TYPES)]


def _is_elsewhere(address: str, canonical: str | None, site: _Site) -> bool:
    """Whether an address lies on the other site where the page says its canonical form is."""
    return canonical is not None and not site.holds(canonical) and registrable_domain(address) == registrable_domain(canonical)


def _credit(field: str, name: str | None, address: str | None, site: _Site) -> Iterator[Credit]:
    """A credit, unless it names the page's own site."""
    if (name is None and address is None) or (address and site.holds(address)) or (name and site.is_called(name)):
        return
    yield Credit("republication", name or address or "", name=name, url=address, field=field)


def _beside(tree: Tree, meta: dict[str, str], articles: list[dict[str, object]]) -> tuple[tuple[str, str], ...]:
    """Byline and captions, each line once."""
    bylines, captions = [], []
    for element in tree.iter():
        marks = " ".join(v for m in _MARKS if (v := element.get(m)))
        if element.tag == "figcaption" or _CAPTION.search(marks):
            captions.append(element)
        elif _BYLINE.search(marks):
            bylines.append(element)
    named = [_short_text(e, LONGEST_BYLINE) for e in bylines[:10]]
    named += [n for a in articles[:3] for n, _ in _name_and_address(a.get("author"), "") if n]
    named.append(meta.get("author", "")[:LONGEST_BYLINE])
    found = dict.fromkeys(("byline", b) for b in named if b)
    found |= dict.fromkeys(("caption", c) for e in captions[:MAX_BESIDE] if (c := _short_text(e, LONGEST_CAPTION)))
    return tuple(found)[: 2 * MAX_BESIDE]


def _short_text(element: Tree, longest: int) -> str:
    """An element's visible text in one line; nothing where it is longer."""
    if next(islice(element.iter(), MOST_WITHIN, None), None) is not None or _holds_text(element, LONGEST_WITHIN):
        return ""
    words = " ".join(line.text for line in lines(element))
    return words if len(words) <= longest else ""


def _holds_text(element: Tree, length: int) -> bool:
    """Whether there is more text in an element than that, counted no further."""
    return any(total > length for total in accumulate(map(len, element.itertext())))
