"""XML feeds by feedparser, on a shorter way.

feedparser knows the formats: what an element means in RSS, Atom and RDF, whose namespaces, which of two titles counts. `feedparser.parse`
spends nine tenths of its time elsewhere: it resolves the base address anew at each tag, cleans HTML that extraction reads anyway,
parses dates that `reading.dates` parses too, and keeps categories, pictures and places. So its two parsers are driven from here, without
what no entry is made of; the entries are the same (`scripts/compare-feeds` says so of any folder of feeds).

On the way its quadratic spots go: the base address, categories, author text that looks like e-mail, namespaces without end.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any
from xml.parsers import expat

from feedparser.api import LooseFeedParser, StrictFeedParser
from feedparser.encodings import convert_to_utf8
from feedparser.html import _cp1252
from feedparser.sanitizer import replace_doctype
from feedparser.urls import make_safe_absolute_uri

MAX_DEPTH = 1_000  # elements within elements; XHTML in real feeds stays below 50
# Elements of a well-formed feed, tags of any other. The fullest of 100 real feeds has 77,000 tags in 2 MB; 10 MB can have 3 million, which
# at 10 to 20 µs each take up to a minute.
MAX_ELEMENTS = 250_000
MAX_REFERENCES = 1_000_000  # "&", in a feed that is not well-formed: up to 5 µs each
MAX_AUTHOR = 1_000  # characters; feedparser looks for an address in them in quadratic time
MAX_BASE = 2_000  # characters of an address to resolve others by: each time is a time through all of it
MAX_ENTITY = 20  # characters that an entity of the feed's own may stand for: "&nbsp;" as "&#160;", no bomb
XHTML = "application/xhtml+xml"

# Elements that feedparser has no handler for, and that entries or hints are made of all the same.
READ_BESIDE = frozenset({"ttl", "sy_updateperiod", "sy_updatefrequency", "feedburner_origlink", "dc_source"})
# Elements with a handler whose outcome nobody reads. With text of their own, which must not become their parent's; and without.
UNREAD_TEXT = frozenset(
    {"category", "keywords", "tags", "dc_subject", "media_category", "media_keywords", "itunes_category", "itunes_keywords", "generator"}
    | {"language", "dc_language", "width", "height", "media_rating", "media_restriction", "media_license", "media_thumbnail"}
    | {"media_player", "expirationdate"}
)
UNREAD_EMPTY = frozenset({"enclosure", "media_content", "media_group", "cloud", "itunes_image", "itunes_link"})
_NO_TEXTINPUT = frozenset({"title", "link", "description", "name"})
_NO_IMAGE = frozenset({"title", "link", "description", "url", "href", "width", "height"})
_TOO_LONG = f"more than {MAX_ELEMENTS} elements"
_TOO_MANY_REFERENCES = f"more than {MAX_REFERENCES} times the sign & in a feed that is not well-formed"
_WINDOWS_CONTROL = re.compile("[\x80-\x9f]")
_FALSE_ENTITY = re.compile(r"&(\w+);", re.ASCII)
_LONG_ENTITY = re.compile(rb"<!ENTITY[^>\"']*(?:\"[^\">]{%d,}\"|'[^'>]{%d,}')\s*>" % (MAX_ENTITY + 1, MAX_ENTITY + 1))
# Addresses that joining with any base leaves as they are; most are.
_PLAIN_ADDRESS = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?/(?:[A-Za-z0-9/_~%+=,:@-][A-Za-z0-9/._~%+=,:@-]*)?"
    r"(?:\?[A-Za-z0-9/._~%+=,:@&-]+)?(?:#[A-Za-z0-9/._~%+=,:@&-]+)?"
)

Attributes = list[tuple[str, str]]


class TooDeepError(ValueError):
    """Elements within elements beyond MAX_DEPTH."""


class _EnoughError(Exception):
    """As many entries as were asked for, or as many elements as are read; says which."""


def is_plain_address(text: str) -> bool:
    """Whether a text is an absolute web address without anything that joining or cleaning would change."""
    return _PLAIN_ADDRESS.fullmatch(text) is not None


def read_markup(body: bytes, url: str, content_type: str | None, most_entries: int) -> tuple[dict[str, Any], list[Any], str, str]:
    """What feedparser makes of a feed in XML: the feed's own fields, its entries, the format's version ("" for no feed), and what there
    is too much of where the rest was left out ("more than 5000 entries", "more than 250000 elements", …), else "".

    `url` is the base of relative addresses. Well-formed feeds take the strict parser, others the loose one. Raises TooDeepError, and
    whatever feedparser raises on odd input (ValueError, LookupError, OverflowError, …).
    """
    headers = {"content-location": url} | ({"content-type": content_type} if content_type else {})
    told: dict[str, Any] = {}
    version, content, entities = replace_doctype(_without_long_entities(convert_to_utf8(headers, body, told)))
    base = make_safe_absolute_uri(url)
    if told["encoding"]:
        strict = _Strict(base, None, "utf-8")
        strict.most_entries = most_entries
        try:
            more = _cut_short(strict.read, content)
            return strict.feeddata, _whole_entries(strict, more), version or strict.version, more
        except expat.ExpatError:
            pass  # not well-formed
    loose = _Loose(base, None, "utf-8", entities)
    loose.most_entries = most_entries
    few_tags = _first(content, b"<", MAX_ELEMENTS)
    less = _first(few_tags, b"&", MAX_REFERENCES)
    cut_by = _TOO_MANY_REFERENCES if len(less) < len(few_tags) else _TOO_LONG if len(less) < len(content) else ""
    more = _cut_short(loose.feed, less.decode("utf-8", "replace")) or cut_by
    return loose.feeddata, _whole_entries(loose, more), version or loose.version, more


def _cut_short(read: Any, content: Any) -> str:  # noqa: ANN401 - either parser with what it takes
    """Let a parser read; what there is too much of where it was stopped."""
    try:
        read(content)
    except _EnoughError as error:
        return str(error)
    return ""


def _whole_entries(parser: Any, more: str) -> list[Any]:  # noqa: ANN401 - as above
    """The entries without the one within which reading stopped: it would lack the end of its text."""
    entries: list[Any] = parser.entries
    return entries[:-1] if more in (_TOO_LONG, _TOO_MANY_REFERENCES) and parser.inentry else entries


def _first(content: bytes, mark: bytes, count: int) -> bytes:
    """The content up to so many marks."""
    return mark.join(content.split(mark, count + 1)[: count + 1]) if content.count(mark) > count else content


def _without_long_entities(content: bytes) -> bytes:
    """The feed without entities of its own that stand for long texts. In its prolog alone: what follows cannot declare any."""
    start = re.search(rb"<\w", content)
    end = start.start() if start else 0
    head = content[:end]
    return _LONG_ENTITY.sub(b"", head) + content[end:] if b"<!ENTITY" in head else content


class _Lean:
    """What the two parsers do otherwise than feedparser's own; laid over either of them.

    The methods' names and the attributes they use are feedparser's (6.0): `elementstack` holds [element, whether its text is kept,
    pieces of text], `contentparams` type, language and base of the content being read, `incontent` how deep in it one is.
    """

    most_entries: int
    resolve_relative_uris = sanitize_html = False  # of content, which is never shown as HTML

    def __init__(self, *args: object) -> None:
        self._handlers: dict[str, tuple[str, str, Any, Any]] = {}
        super().__init__(*args)

    @property
    def contentparams(self) -> dict[str, Any]:
        """A plain dict where feedparser has one of its own, whose look-ups take two calls each."""
        return self._contentparams

    @contentparams.setter
    def contentparams(self, params: dict[str, Any]) -> None:
        self._contentparams = dict(params)

    def track_namespace(self, prefix: str | None, uri: str) -> None:
        """A prefix gets another meaning, and with it elements other handlers."""
        self._handlers = {}
        super().track_namespace(prefix, uri)  # type: ignore[misc] # of the parser beneath

    def _handler(self, tag: str) -> tuple[str, str, Any, Any]:
        """Of an element: feedparser's name for it, its name without prefix ("" where a prefix stays), and what handles start and end."""
        prefix, colon, local = tag.partition(":")
        prefix, local = (self.namespacemap.get(prefix, prefix), local) if colon else ("", tag)  # type: ignore[attr-defined] # as above
        name = f"{prefix}_{local}" if prefix else local
        start, end = getattr(type(self), f"_start_{name}", None), getattr(type(self), f"_end_{name}", None)
        if name in UNREAD_EMPTY:
            start = end = _ignore
        elif name in UNREAD_TEXT:
            start, end = _set_aside, None
        self._handlers[tag] = found = (name, "" if prefix else local, start, end)
        return found

    def unknown_starttag(self: Any, tag: str, attrs: Attributes) -> None:
        """An element begins."""
        self.depth += 1
        stated = dict(map(self._normalize_attributes, attrs))
        for name, value in stated.items():
            if name.startswith("xmlns:") or name == "xmlns":
                self.track_namespace(name[6:] or None, value)
        base = stated.get("xml:base", stated.get("base"))
        if base and len(base) <= MAX_BASE:
            self.baseuri = make_safe_absolute_uri(self.baseuri, base) or self.baseuri
        self.basestack.append(self.baseuri)
        if self.incontent and self._is_inline(tag):
            return
        if self.incontent and self.contentparams.get("type") == XHTML:
            tag = tag.partition(":")[2] or tag
            self.svgOK += tag == "svg"
            self.handle_data(f"<{tag}{self.strattrs(stated.items())}>", escape=0)
            return
        name, local, start, _ = self._handlers.get(tag) or self._handler(tag)
        if local:
            self.intextinput = self.intextinput if local in _NO_TEXTINPUT else 0
            self.inimage = self.inimage if local in _NO_IMAGE else 0
        if start is _set_aside:
            self.push(name, 0)
        elif start is not None:
            try:
                start(self, stated)
            except AttributeError:  # feedparser's handlers count on this where an element stands in an odd place
                self._open_other(name, stated)
        else:
            self._open_other(name, stated)

    def _open_other(self: Any, name: str, stated: dict[str, str]) -> None:
        if not stated:
            self.push(name, int(name in READ_BESIDE))
        elif name in READ_BESIDE:
            self._get_context()[name] = stated

    def _is_inline(self: Any, tag: str) -> bool:
        """Within content that calls itself escaped: elements show that it is not. Whether this is a box around it, to be ignored."""
        if self.contentparams.get("type", "xml").endswith("xml"):
            return False
        if tag in ("xhtml:div", "div"):
            return True
        self.contentparams["type"] = XHTML
        return False

    def unknown_endtag(self: Any, tag: str) -> None:
        """An element ends."""
        name, local, _, end = self._handlers.get(tag) or self._handler(tag)
        self.svgOK -= bool(self.svgOK) and (local or name.rpartition("_")[2]) == "svg"
        if end is None or self.svgOK:
            self._close_other(name)
        else:
            try:
                end(self)
            except AttributeError:
                self._close_other(name)
        if self.incontent and not self._is_inline(tag) and self.contentparams.get("type") == XHTML:
            self.handle_data(f"</{tag.rpartition(':')[2]}>", escape=0)
        if self.basestack:
            self.basestack.pop()
            self.baseuri = (self.basestack and self.basestack[-1]) or self.baseuri
        self.depth -= 1

    def _close_other(self: Any, name: str) -> None:
        if self.elementstack and self.elementstack[-1][0] == name:
            if self.elementstack[-1][1]:
                self.pop(name)
            else:
                self.elementstack.pop()

    def pop(self: Any, element: str, strip_whitespace: int = 1) -> Any:  # noqa: ANN401 - as feedparser has it: text, or None where another element is open
        """The text of the element that ends, stored where it belongs if it is one whose text is kept."""
        stack, params = self.elementstack, self.contentparams
        if not stack or stack[-1][0] != element:
            return None
        if params and (params.get("base64") or params.get("type") == XHTML):
            return super().pop(element, strip_whitespace)  # type: ignore[misc] # as above
        _, is_kept, pieces = stack.pop()
        text = "".join([p if isinstance(p, str) else p.decode("utf-8") for p in pieces]).strip()
        if not is_kept:
            return text
        if text and element in self.can_be_relative_uri and (element != "id" or self.guidislink):
            text = self.resolve_uri(text)
        text = self.decode_entities(element, text)
        if params and params["type"] == "text/plain" and not self.version.startswith("atom") and self.looks_like_html(text):
            params["type"] = "text/html"
        text = _mended(text)
        if element == "title" and -1 < self.title_depth <= self.depth:
            return text
        if self.inentry and not self.insource:
            self._keep_of_entry(self.entries[-1], element, text)
        elif self.infeed or self.insource:
            self._keep_of_feed(self._get_context(), "subtitle" if element == "description" else element, text)
        return text

    def _keep_of_entry(self: Any, entry: Any, element: str, text: str) -> None:  # noqa: ANN401 - feedparser's dict
        if element == "content":
            entry.setdefault("content", []).append({**self.contentparams, "value": text})
        elif element == "link":
            if not self.inimage:
                entry["link"] = link = _FALSE_ENTITY.sub(r"&\1", text.replace("&amp;", "&"))
                if link:
                    entry["links"][-1]["href"] = link
        else:
            element = "summary" if element == "description" else element
            depths = self.property_depth_map.setdefault(entry, {})
            if self.depth <= depths.get(element, self.depth):
                depths[element], entry[element] = self.depth, text
            if self.incontent:
                entry[f"{element}_detail"] = {**self.contentparams, "value": text}

    def _keep_of_feed(self: Any, context: Any, element: str, text: str) -> None:  # noqa: ANN401 - as above
        context[element] = text
        if element == "link":
            context["link"] = context["links"][-1]["href"] = _FALSE_ENTITY.sub(r"&\1", text)
        elif self.incontent:
            context[f"{element}_detail"] = {**self.contentparams, "value": text}

    def resolve_uri(self: Any, uri: str) -> str:
        """An address made absolute, by the base that holds here."""
        resolved: str = uri if self.baseuri and is_plain_address(uri) else super().resolve_uri(uri)  # type: ignore[misc] # as above
        return resolved

    def _start_item(self: Any, attrs_d: dict[str, str]) -> None:
        if len(self.entries) >= self.most_entries:
            raise _EnoughError(f"more than {self.most_entries} entries")
        super()._start_item(attrs_d)  # type: ignore[misc] # as above

    _start_entry = _start_item

    def _sync_author_detail(self: Any, key: str = "author") -> None:
        context = self._get_context()
        stated = context.get(key)
        if isinstance(stated, str) and len(stated) > MAX_AUTHOR:
            context[key] = stated[:MAX_AUTHOR]
        super()._sync_author_detail(key)  # type: ignore[misc] # as above

    # Dates stay as they are stated.

    def _end_published(self: Any) -> None:
        self.pop("published")

    def _end_updated(self: Any) -> None:
        self.pop("updated")

    def _end_created(self: Any) -> None:
        self.pop("created")

    _end_issued = _end_pubdate = _end_published
    _end_modified = _end_lastbuilddate = _end_updated


def _ignore(*_: object) -> None:
    """For elements without text that nobody reads."""


def _set_aside(*_: object) -> None:
    """For elements whose text nobody reads; `unknown_starttag` knows it."""


def _mended(text: str) -> str:
    """The text without two common faults of publishing systems: UTF-8 taken for Latin-1, and Windows' quotes as control characters."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_cp1252) if _WINDOWS_CONTROL.search(text) else text


class _Loose(_Lean, LooseFeedParser):  # type: ignore[misc] # feedparser ships no types
    """For feeds that are not well-formed."""


class _Strict(_Lean, StrictFeedParser):  # type: ignore[misc] # as above
    """For well-formed feeds: handed expat's events without Python's SAX between."""

    decls: dict[str, str]

    def read(self, content: bytes) -> None:
        """Read a feed in UTF-8. Raises ExpatError where it is not well-formed. No file or address is opened, whatever it refers to."""
        self._tags: dict[str, str] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        self._left = MAX_ELEMENTS
        parser = expat.ParserCreate("utf-8", " ", intern={})
        parser.namespace_prefixes = parser.buffer_text = parser.ordered_attributes = True
        parser.buffer_size = 65_536
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self.handle_data
        parser.StartNamespaceDeclHandler = self.startPrefixMapping
        parser.Parse(content, True)

    def _start(self, raw: str, attributes: list[str]) -> None:
        if self.depth >= MAX_DEPTH:
            raise TooDeepError(f"elements nested deeper than {MAX_DEPTH}")
        self._left -= 1
        if self._left < 0:
            raise _EnoughError(_TOO_LONG)
        stated = [*self.decls.items()]
        self.decls = {}
        each = iter(attributes)
        for name, text in zip(each, each, strict=True):
            stated += [(key, text) for key in self._keys.get(name) or self._keys_of(name)]
        self.unknown_starttag(self._tags.get(raw) or self._tag_of(raw), stated)

    def _end(self, raw: str) -> None:
        self.unknown_endtag(self._tags.get(raw) or self._tag_of(raw))

    def _tag_of(self, raw: str) -> str:
        """The name that feedparser has for an element, of expat's ("address local prefix"): known addresses have its own prefix."""
        uri, local, given = _parts(raw)
        known = "" if "backend.userland.com/rss" in uri.lower() else self._matchnamespaces.get(uri.lower())
        prefix = given if known is None else known
        self._tags[raw] = tag = (f"{prefix}:{local}" if prefix else local).lower()
        return tag

    def _keys_of(self, raw: str) -> tuple[str, ...]:
        """The names under which feedparser's handlers look for an attribute."""
        uri, local, given = _parts(raw)
        known = self._matchnamespaces.get(uri.lower(), "")
        names = (f"{known}:{local}" if known else local, f"{given}:{local}" if given else local)
        self._keys[raw] = keys = tuple(dict.fromkeys(name.lower() for name in names))
        return keys


def _parts(raw: str) -> tuple[str, str, str]:
    """Namespace, local name and prefix of a name as expat gives it; empty where there is none."""
    parts = raw.rsplit(" ", 2)  # an address may hold blanks, the other two cannot
    if len(parts) == 1:
        return "", raw, ""
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else (parts[0], parts[1], "")
