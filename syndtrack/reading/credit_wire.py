"""Marks of news agencies: datelines, bylines, copyright lines, "Reuters contributed to this report"."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from syndtrack.publishers import Registry
from syndtrack.reading.credit_known import KnownNames
from syndtrack.reading.credit_names import caseless, known_part, name_at
from syndtrack.reading.credit_wording import UNSPACED, pattern, plain, table, union, words

Span = tuple[int, int, str | None]

HEAD = 220  # a dateline stands in the first code points of a paragraph
MAX_MARK = 400  # a byline, copyright or closing line is not longer
MAX_BYLINE = 140
DASH = re.compile(r"\s{0,2}(?:[.,]?\s?[-–—―‒\ufffd=~•►|]{1,3}\.?|\.[-–—]|:|\.(?=\s|$))\s{0,3}")
BRACKET = re.compile(r"[(（\[【]([^()（）\[\]【】\n]{2,60})[)）\]】]|(?<![\w:/])/\s?([^/()\n]{2,40}?)\s?/(?![\w/])")
SLASHED_CITY = re.compile(r"([^\W\d_][^\n/()]{1,40}?)\s?/\s?([^\s/()][^\n/()–—-]{0,40}?)\s?([-–—]{1,2}|:)\s")
CUT = re.compile(r"(?:[:!?\"”»|]|\.{3}|…|(?<=[a-z])\.)\s+")
CJK_HEAD = re.compile(r"[^\n，。、,.]{0,24}?\d{0,2}[月]?\d{1,2}日?[^\n，。、,.]{0,12}?(?:电|電|讯|訊)[\s:：]?")
CLOSING = re.compile(r"[(（\[]\s?([^()（）\[\]\n]{2,40}?)\s?[)）\]][\s.]*$|(?:[—–-]{1,2}|/)\s?([^\n—–/()-]{2,40}?)[\s.]*$")
YEAR = re.compile(r"(?:19|20)\d\d")


def wire_marks(text: str, start: int, end: int, registry: Registry, known: KnownNames, *, top: bool, last: bool) -> Iterator[Span]:
    """Spans of a line that name the agency it is from, with the name. `top`, `last`: whether the line is near that end of the text."""
    dateline = _dateline(text, start, end, registry, known)
    if dateline is not None:
        yield dateline
    if end - start > MAX_MARK:
        if last and (closing := _closing(text, max(start, end - 60), end, registry)):
            yield closing
        return
    if end - start <= MAX_BYLINE and (top or last) and (byline := _byline(text, start, end, registry, known, top=top)):
        yield byline
        return
    if (named := _copyright(text, start, end, registry, known, last=last)) or (named := _contributed(text, start, end, known)):
        yield (start, end, named)
    elif last and dateline is None and (closing := _closing(text, max(start, end - 60), end, registry)):
        yield closing


def _dateline(text: str, start: int, end: int, registry: Registry, known: KnownNames) -> Span | None:
    stop = min(end, start + HEAD)
    for number, found in enumerate(BRACKET.finditer(text, start, stop)):
        if number == 4:
            break
        inside = found[1] if found[1] is not None else found[2]
        name = _agency_inside(text, found.start() + 1, found.end() - 1, inside, registry, known)
        begin = _place_start(text, start, found.start())
        if begin is None or (name is None and not _unmistakable(text, begin, found, stop)):
            continue
        dash = DASH.match(text, found.end(), min(end, found.end() + 8))
        place = text[begin : found.start()].strip(" \t-–—,.:/*")
        if dash is None and not (_speaks_for_itself(place, found, text, end) and name is not None):
            continue
        if name is None and (dash is None or dash[0].strip() in (":", ".", "|")):
            continue
        if place and known.first_agency(text, begin, begin + 12) is not None and name is None:
            continue
        return (begin, dash.end() if dash and dash.end() < end else found.end(), name or inside.strip())
    return _open_dateline(text, start, stop, registry, known)


def _agency_inside(text: str, start: int, end: int, inside: str, registry: Registry, known: KnownNames) -> str | None:
    named = known_part(inside.strip(), registry)
    if named is not None:
        return named
    found = known.first_agency(text, start, end)
    if found is None:
        return None
    # Beside the agency only a place, a date or a reporter: "도쿄 로이터=연합뉴스", "AP Photo" is a picture.
    return None if re.search(r"photo|foto|image|via|file", plain(inside)) else found.name


def _place_start(text: str, start: int, bracket: int) -> int | None:
    """Where the place before the bracket begins; None if what stands there is no place and date. Nothing there is right, too."""
    before = text[start:bracket]
    cuts = list(CUT.finditer(before))
    begin = start + (cuts[-1].end() if cuts else 0)
    while begin < bracket and not text[begin].isalnum():
        begin += 1
    place = text[begin:bracket]
    if len(place) > 90:
        return None
    if not place.strip():
        return bracket
    for token in re.findall(r"[^\W_]+", place):
        small = token[0].islower() and not caseless(token[0])
        if small and plain(token) not in words("connectors") and plain(token) not in words("months") and plain(token) not in words("place_words"):
            return None
    if caseless(place[0]) and len(place.split()) > 6:
        return None
    return begin


def _unmistakable(text: str, begin: int, bracket: re.Match[str], stop: int) -> bool:
    """A city in capitals and a name in brackets before a dash: an agency, known or not."""
    place = text[begin : bracket.start()].strip(" ,./")
    inside = bracket[1] or bracket[2]
    city = re.split(r"[,/]", place)[0].strip()
    letters = [c for c in city if c.isalpha()]
    if len(letters) < 4 or not city.isupper():
        return False
    tokens = inside.split()
    return 1 <= len(tokens) <= 4 and all(t[0].isupper() for t in tokens) and not any(c.isdigit() for c in inside) and len(inside) >= 3


def _speaks_for_itself(place: str, bracket: re.Match[str], text: str, end: int) -> bool:
    """A bracket that needs no dash: at the line's start before text, or after a place in a script without capitals."""
    rest = text[bracket.end() : min(end, bracket.end() + 3)].strip()
    if not rest:
        return False
    if not place:
        return True
    return caseless(place[0])


def _open_dateline(text: str, start: int, stop: int, registry: Registry, known: KnownNames) -> Span | None:
    """Datelines without brackets: "LONDON/Reuters - ", "МОСКВА, 3 мар — РИА Новости. ", "AFP - ", "新华社北京3月3日电"."""
    first = known.first_agency(text, start, min(stop, start + 90))
    if first is None:
        return None
    if first.start <= start + 1 and UNSPACED.match(text, first.end):
        cjk = CJK_HEAD.match(text, first.end, stop)
        return (start, cjk.end(), first.name) if cjk else None
    dash = DASH.match(text, first.end, min(stop, first.end + 6))
    if dash is None or dash.end() >= stop:
        return None
    before = text[start : first.start]
    if not before.strip(" *_"):
        return (start, dash.end(), first.name) if dash[0].strip() not in (".", ":") or text[start : first.end].isupper() else None
    place_start = _place_start(text, start, first.start)
    joined = before.rstrip()[-1:] in "/-–—" and place_start is not None
    if not joined or place_start is None or not any(c.isupper() or caseless(c) for c in text[place_start : place_start + 1]):
        return None
    city = re.split(r"[,/–—-]", text[place_start : first.start])[0].strip()
    return (place_start, dash.end(), first.name) if city.isupper() or caseless(city[:1]) or any(c.isdigit() for c in before) else None


@functools.cache
def _by() -> re.Pattern[str]:
    found = sorted({pattern(plain(w)) for rule in table("wire")["byline"] for w in rule["words"]}, key=len, reverse=True)
    return re.compile(rf"[(\[*_\s]*(?:{'|'.join(found)})[\s:]+(?=\S)")


def _byline(text: str, start: int, end: int, registry: Registry, known: KnownNames, *, top: bool) -> Span | None:
    """ "By N, Associated Press", "N for Agence France-Presse", "N avec AFP", "(dpa)" or an agency's name alone in its line."""
    line = text[start:end]
    bare = line.strip(" .()[]（）【】*_—–-|:/")
    if known_part(bare, registry) is not None and len(bare) <= 60:
        return (start, end, known_part(bare, registry))
    agency = known.first_agency(text, start, end)
    if agency is None:
        return None
    by = _by().match(plain(line))
    before, after = text[start : agency.start], text[agency.end : end]
    names = _only_names(before[by.end() :] if by else before)
    if by and names and len(after) <= 80 and _only_names(after):
        return (start, end, agency.name)
    joined = re.search(r"(?:[,|–—•·]|\b(?:for|avec|with|mit|con|com|para|für|pour|per|voor|för|dla|для|till)|\(|[-/])\s*(?:the |l'|l’|die |la )?$", before)
    if names and joined and 2 <= len(re.findall(r"[^\W\d_]+", before)) <= 9 and len(after.strip(" .)]|")) <= (40 if top else 0) and _only_names(after):
        return (start, end, agency.name)
    return None


BYLINE_WORDS = frozenset({"and", "und", "et", "y", "e", "och", "og", "en", "i", "for", "with", "avec", "mit", "con", "com", "the", "by", "von", "par", "por", "di", "in", "at", "à", "writer", "writers", "correspondent", "reporter", "staff", "news", "agency", "special", "to", "of", "de", "la", "du", "van", "der", "den", "da", "do", "dos", "del", "al", "el", "bin", "для", "и", "та", "für", "für", "para", "pour", "per", "l", "am", "pm", "a", "p", "m", "updated", "published", "from", "business", "sports", "science", "medical", "political", "diplomatic"})


def _only_names(part: str) -> bool:
    """Whether a part of a byline is names, dates and the words between them."""
    return all(
        w[0].isupper() or w[0].isdigit() or caseless(w[0]) or plain(w) in BYLINE_WORDS or plain(w) in words("months")
        for w in re.findall(r"[^\W_]+", part)
    )


@functools.cache
def _copyright_marks() -> re.Pattern[str]:
    return re.compile(rf"©|\(c\)|{union(table('wire')['copyright']['marks']).pattern}")


@functools.cache
def _agency_words() -> re.Pattern[str]:
    return union(table("wire")["copyright"]["agency_words"])


def _copyright(text: str, start: int, end: int, registry: Registry, known: KnownNames, *, last: bool) -> str | None:
    """The agency that a copyright line names."""
    folded = plain(text[start:end])
    mark = _copyright_marks().search(folded)
    if mark is None or mark.start() > 60:
        return None
    agency = known.first_agency(text, start, min(end, start + 160))
    if agency is not None:
        return agency.name if last or YEAR.search(folded) or end - start > 40 else None
    if not (last or YEAR.search(folded)):
        return None
    opening = re.compile(r"(?:[\s.,:;()©]|\bcopyright\b|\(c\)|(?:19|20)\d\d(?:[-–](?:19|20)?\d\d)?|\bby\b)*").match(folded, mark.start())
    name = name_at(text, start + (opening.end() if opening else 0), end, registry, strict=True)
    return name.text if name is not None and name.text and _agency_words().search(plain(name.text)) else None


@functools.cache
def _contribution() -> tuple[re.Pattern[str], re.Pattern[str]]:
    found = table("wire")["contributed"]
    return union(p for rule in found for p in rule["phrase"]), union(p.strip() for rule in found for p in rule["lead"])


def _contributed(text: str, start: int, end: int, known: KnownNames) -> str | None:
    """The agency whose reporters contributed."""
    folded = plain(text[start:end])
    phrase, lead = _contribution()
    if found := phrase.search(folded):
        agency = known.first_agency(text, start, start + found.start())
        return agency.name if agency is not None else None
    begun = lead.match(folded.lstrip("(*_—– "))
    if begun is None:
        return None
    skip = len(folded) - len(folded.lstrip("(*_—– "))
    agency = known.first_agency(text, start + skip + begun.end(), min(end, start + skip + begun.end() + 80))
    if agency is None or len(re.findall(r"\w+", text[start + skip + begun.end() : agency.start])) > 6:
        return None
    return agency.name


def _closing(text: str, low: int, end: int, registry: Registry) -> Span | None:
    """An agency behind the last words: "… on Friday. (AFP)", "— Reuters"."""
    found = CLOSING.search(text, low, end)
    if found is None:
        return None
    name = known_part((found[1] or found[2]).strip(), registry)
    if name is None or (found[2] is not None and not re.search(r"[.!?…。\"”»]\s*$", text[low : found.start()] or ".")):
        return None
    return (found.start(), end, name)
