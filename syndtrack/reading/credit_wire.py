"""Marks of news agencies: datelines, bylines, copyright lines, "Reuters contributed to this report".

A dateline has one form in all languages (a place, a date, a name in brackets, a dash); what the others say is in `rules/credits_wire.toml`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from syndtrack.reading.credit_known import Known
from syndtrack.reading.credit_lines import MAX_JOINT, Line, Scan, joint_agencies
from syndtrack.reading.credit_names import caseless, is_press, known_part, name_at
from syndtrack.reading.credit_wording import UNSPACED, Sieve, pattern, plain, rights, rights_sieve, sieve, table, union, words

Span = tuple[int, int, str | None]

HEAD = 220  # a dateline stands in the first code points of a paragraph
MAX_PLACE = 90
MAX_MARK = 400  # a byline, copyright or closing line is not longer
MAX_BYLINE = 140
MAX_BRACKETS = 4
MIN_FOLDED = 4  # letters of a name that is taken however it is written: "/ritzau/"
TAIL = 60  # an agency behind the last words of a text

DASH = re.compile(r"\s{0,2}(?:[.,]?\s?[-–—―‒_\ufffd=~•►|]{1,3}\.?|\.[-–—]|:|\.(?=\s|$))\s{0,3}")
BRACKET = re.compile(r"[(（\[【]([^()（）\[\]【】\n]{2,60})[)）\]】]|(?<![\w:/])/\s?([^/()\n]{2,40}?)\s?/(?![\w/])")
OPENING = "(（[【/"
CUT = re.compile(r"(?:[:!?\"”»|]|\.{3}|…|(?<=[a-z])\.)\s+")
CJK_HEAD = re.compile(r"[^\n，。、,.]{0,24}?\d{0,2}月?\d{1,2}日?[^\n，。、,.]{0,12}?(?:电|電|讯|訊)[\s:：]?")
# "(X) - the party's founder - said"
INSERTION = re.compile(r"\s{0,2}(?P<dash>[-–—])\s[^.!?\n–—]{2,80}\s(?P=dash)\s\S")
INNER_CAPITAL = re.compile(r"[A-Z][a-z]+[A-Z]|[A-Z]{2}[a-z]")  # "MetroWire", "BBNews"
CALL_SIGN = re.compile(r"[WK][A-Z]{2,3}(?:-TV)?")  # American broadcasters' (47 CFR 73.3550)
CLOSING = re.compile(r"[(（\[]\s?([^()（）\[\]\n]{2,40}?)\s?[)）\]][\s.]*$|(?:[—–-]{1,2}|/)\s?([^\n—–/()-]{2,40}?)[\s.]*$")
SENTENCE_END = re.compile(r"[.!?…。！？\"”»]\s*$")
PICTURE = re.compile(r"photo|foto|image|bild|via|file")
YEAR = re.compile(r"(?:19|20)\d\d")
YEAR_BEFORE = re.compile(r"(?:(?:19|20)\d\d|©|\(c\))\W{0,3}$")
YEAR_BEHIND = re.compile(r"\W{0,3}(?:(?:19|20)\d\d|©|\(c\))")
JOINING = "for|avec|with|mit|con|com|para|für|pour|per|voor|för|dla|для|till|til"
JOINED = re.compile(rf"(?:[,|–—•·/-]|\(|\b(?:{JOINING}))\s*(?:the |l'|l’|die |la |a )?$", re.IGNORECASE)
AFTER_COPYRIGHT = re.compile(r"(?:[\s.,:;()©]|\bcopyright\b|\(c\)|(?:19|20)\d\d(?:[-–](?:19|20)?\d\d)?|\bby\b)*")


def wire_marks(scan: Scan, line: Line) -> Iterator[Span]:
    """Spans of a line that name the agency it is from, with the name."""
    dateline = _dateline(scan, line)
    if dateline is not None:
        yield dateline
    if len(line) <= MAX_BYLINE and line.edge and (byline := _byline(scan, line)):
        yield (line.start, line.end, byline)
        return
    named = (_copyright(scan, line) or _contributed(scan, line)) if len(line) <= MAX_MARK else None
    if named:
        yield (line.start, line.end, named)
    elif line.last and dateline is None and (closing := _closing(scan, max(line.start, line.end - TAIL), line.end)):
        yield closing


def _dateline(scan: Scan, line: Line) -> Span | None:
    text, stop = scan.text, min(line.end, line.start + HEAD)
    head = text[line.start : stop]
    for number, bracket in enumerate(BRACKET.finditer(text, line.start, stop) if any(map(head.__contains__, OPENING)) else ()):
        if number == MAX_BRACKETS:
            break
        begin = _place_start(text, line.start, bracket.start())
        if begin is None:
            continue
        inside = bracket[1] if bracket[1] is not None else bracket[2]
        name = _agency_inside(scan, bracket, inside)
        dash = DASH.match(text, bracket.end(), min(line.end, bracket.end() + 8))
        place = text[begin : bracket.start()].strip(" \t-–—,.:/*")
        if name is not None and _names_somebody(scan, place, name, text[bracket.end() : min(line.end, bracket.end() + HEAD)]):
            continue
        if name is None and not (dash and dash[0].strip() not in (":", ".", "|") and _unmistakable(place, inside)):
            continue
        if dash is None and not _speaks_for_itself(place, text[bracket.end() : min(line.end, bracket.end() + 3)]):
            continue
        return (begin, dash.end() if dash and dash.end() < line.end else bracket.end(), name or inside.strip())
    return _open_dateline(scan, line.start, stop)


def _agency_inside(scan: Scan, bracket: re.Match[str], inside: str) -> str | None:
    """The agency in a dateline's brackets, beside which a place, a date or a reporter may stand: "도쿄 로이터=연합뉴스"."""
    if any(len(part.split()) > 1 and not scan.registry.is_agency(part) for part in inside.split("/")[:-1]):
        return None  # a photographer before an agency
    if (named := known_part(inside.strip(), scan.registry)) is not None:
        return named
    found = scan.names.first_agency(bracket.start() + 1, bracket.end() - 1)
    return None if found is None or PICTURE.search(plain(inside)) else found.name


def _place_start(text: str, start: int, bracket: int) -> int | None:
    """Where the place before a bracket begins; None if what stands there is no place and date. Nothing there is right, too."""
    before = text[start:bracket]
    cuts = list(CUT.finditer(before))
    begin = start + (cuts[-1].end() if cuts else 0)
    while begin < bracket and not text[begin].isalnum():
        begin += 1
    place = text[begin:bracket]
    if len(place) > MAX_PLACE or (place and caseless(place[0]) and len(place.split()) > 6):
        return None
    unknown = 0
    for token in re.findall(r"[^\W_]+", place):
        small = token[0].islower() and not caseless(token[0])
        unknown += small and not any(plain(token) in words(kind) for kind in ("connectors", "months", "place_words"))
    # Beside a number an unknown word or two may be a month and a day of the week.
    return begin if unknown <= (2 if any(c.isdigit() for c in place) else 0) else None


def _names_somebody(scan: Scan, place: str, name: str, rest: str) -> bool:
    """Whether what stands before the brackets is no place: the agency's full name, or a person, whose party has the agency's short name."""
    if scan.registry.is_agency(place):
        return True
    if place.isupper() or caseless(place[:1]) or any(c.isdigit() or c == "," for c in place):
        return False
    parts = place.split()
    person = len(parts) > 1 and plain(parts[0]) not in words("place_heads") and plain(parts[-1]) not in words("place_heads")
    return (person and plain(name) in words("ambiguous_agencies")) or (len(parts) > 1 and INSERTION.match(rest) is not None)


def _unmistakable(place: str, inside: str) -> bool:
    """A city in capitals and the name of an unknown agency in brackets before a dash; a party's or a club's name may stand there, too."""
    city = re.split(r"[,/]", place)[0].strip()
    tokens = inside.split()
    named = len(inside) >= 3 and all(t[0].isupper() for t in tokens) and not any(c.isdigit() for c in inside)
    press = (
        is_press(inside)
        or INNER_CAPITAL.search(inside) is not None
        or CALL_SIGN.fullmatch(inside) is not None
        or _agency_words().search(plain(inside)) is not None
    )
    return press and city.isupper() and sum(c.isalpha() for c in city) >= 4 and 1 <= len(tokens) <= 4 and named


def _speaks_for_itself(place: str, rest: str) -> bool:
    """A bracket that needs no dash: at the line's start, after a place in a script without capitals or in capitals, after a date."""
    if not rest.strip() or not place:
        return bool(rest.strip())
    dated = place.partition(",")[0].isupper() or any(c.isdigit() for c in place)
    return caseless(place[0]) or (dated and rest.strip()[0].isupper())


def _open_dateline(scan: Scan, start: int, stop: int) -> Span | None:
    """Datelines without brackets: "LONDON/Reuters - ", "МОСКВА, 3 мар — РИА Новости. ", "AFP - ", "新华社北京3月3日电"."""
    text = scan.text
    first = scan.names.first_agency(start, min(stop, start + MAX_PLACE))
    if first is None:
        return None
    if first.start <= start + 1 and UNSPACED.match(text, first.end):
        cjk = CJK_HEAD.match(text, first.end, stop)
        return (start, cjk.end(), first.name) if cjk else None
    dash = DASH.match(text, _past_suffix(text, first.end), min(stop, first.end + 9))
    if dash is None or dash.end() >= stop:
        return None
    before = text[start : first.start]
    if not before.strip(" *_"):
        plain_dash = dash[0].strip() not in (".", ":")
        return (start, dash.end(), first.name) if plain_dash and text[dash.end() - 1].isspace() else None
    begin = _place_start(text, start, first.start)
    if begin is None or before.rstrip()[-1:] not in "/-–—." or not (text[begin].isupper() or caseless(text[begin])):
        return None
    city = re.split(r"[,/–—-]", text[begin : first.start])[0].strip()
    sure = city.isupper() or caseless(city[:1]) or any(c.isdigit() for c in before)
    return (begin, dash.end(), first.name) if sure else None


def _past_suffix(text: str, at: int) -> int:
    """Past the end of a domain: "INTERFAX.RU"."""
    return at + 3 if re.match(r"\.[A-Za-z]{2}(?![A-Za-z])", text[at : at + 4]) else at


@functools.cache
def _by() -> re.Pattern[str]:
    found = sorted({pattern(plain(w)) for rule in table("wire")["byline"] for w in rule["words"]}, key=len, reverse=True)
    return re.compile(rf"[(\[*_\s]*(?:{'|'.join(found)})[\s:]+(?=\S)")


def _byline(scan: Scan, line: Line) -> str | None:
    """The agency of "By N, Associated Press", "N for Agence France-Presse", "N avec AFP", "(dpa)" or of its name alone in its line."""
    text = scan.text[line.start : line.end]
    agency = scan.names.first_agency(line.start, line.end)
    if agency is None:
        bare = text.strip(" .()[]（）【】/")
        return bare if MIN_FOLDED <= len(bare) <= TAIL and text[0] in "([（【/" and scan.registry.is_agency(bare) else None
    if len(line) <= MAX_JOINT and joint_agencies(scan, line.start, line.end):
        return agency.name
    by = _by().match(plain(text))
    before, after = text[: agency.start - line.start], text[agency.end - line.start :]
    if ":" in before and not by:
        return None
    if not (_only_names(before[by.end() :].replace(" via ", " ") if by else before) and _only_names(after)):
        return None
    people = len(re.findall(r"[^\W\d_]+", before))
    if by:
        named = len(after) <= 80
    elif not before.strip(" ("):
        named = line.top and re.fullmatch(r",(?: [^\W\d_]+){1,3}", after) is not None
    else:
        room = 40 if line.top else 0
        named = JOINED.search(before) is not None and 2 <= people <= 9 and len(after.strip(" .)]|")) <= room
    return agency.name if named else None


def _only_names(part: str, *more: str) -> bool:
    """Whether a part of a byline is names, dates and the words between them; `more`: further lists of such words."""
    lists = ("byline_words", "months", *more)
    return all(
        w[0].isupper() or w[0].isdigit() or caseless(w[0]) or any(plain(w) in words(kind) for kind in lists)
        for w in re.findall(r"[^\W_]+", part)
    )


@functools.cache
def _agency_words() -> re.Pattern[str]:
    return union(table("wire")["copyright"]["agency_words"])


def _copyright(scan: Scan, line: Line) -> str | None:
    """The agency that a copyright line names."""
    folded = line.folded
    mark = rights().search(folded) if rights_sieve().passes(folded) else None
    if mark is None or mark.start() > TAIL or not (line.last or YEAR.search(folded)):
        return None
    if not _marks_rights(folded, mark):
        return None
    agency = scan.names.first_agency(line.start, min(line.end, line.start + 160))
    if agency is not None:
        return agency.name if _is_owner(scan, line, mark, agency) else None
    opening = AFTER_COPYRIGHT.match(folded, mark.start())
    name = name_at(scan.text, line.start + (opening.end() if opening else 0), line.end, scan.registry, strict=True)
    return name.text if name is not None and name.text and _agency_words().search(plain(name.text)) else None


def _marks_rights(folded: str, mark: re.Match[str]) -> bool:
    """Whether the mark begins its line, a sentence or brackets, or a year or a sign stands beside it: "a copyright law" does not."""
    before = folded[: mark.start()].rstrip()
    begins = not before or not before[-1].isalnum() or not mark[0][0].isalnum()
    return begins or YEAR_BEFORE.search(before) is not None or YEAR_BEHIND.match(folded, mark.end()) is not None


def _is_owner(scan: Scan, line: Line, mark: re.Match[str], agency: Known) -> bool:
    """Whether nothing but names, years and marks stands between the mark and the agency, and no sentence goes on behind them."""
    begin, end = line.start + mark.start(), line.start + mark.end()
    between = scan.text[end : agency.start] if agency.start >= end else scan.text[agency.end : begin]
    last = max(end, agency.end)
    following = re.match(r"\s+([^\W\d_]+)", _without_marks(scan.text[last : min(line.end, last + 60)]))
    return _only_names(_without_marks(between)) and (following is None or _only_names(following[1]))


def _without_marks(part: str) -> str:
    """A part of a copyright line with its further marks blanked: "Copyright © 2020 by". Keeps its length."""
    for found in rights().finditer(plain(part)):
        part = part[: found.start()] + " " * len(found[0]) + part[found.end() :]
    return part


@functools.cache
def _contribution() -> tuple[re.Pattern[str], re.Pattern[str]]:
    found = table("wire")["contributed"]
    return union(p for rule in found for p in rule["phrase"]), union(p.strip() for rule in found for p in rule["lead"])


@functools.cache
def _contribution_sieve() -> Sieve:
    return sieve(p for rule in table("wire")["contributed"] for p in rule["phrase"])


def _contributed(scan: Scan, line: Line) -> str | None:
    """The agency whose reporters contributed."""
    folded = line.folded
    phrase, lead = _contribution()
    if _contribution_sieve().passes(folded) and (found := phrase.search(folded)):
        end = line.start + found.start()
        agencies = (name for name in scan.names.between(line.start, end) if name.agency)
        return next((name.name for name in agencies if _only_names(scan.text[name.end : end], "contributors")), None)
    skip = len(folded) - len(folded.lstrip("(*_—– "))
    begun = lead.search(folded, skip, skip + 60)
    if begun is not None and (begun.start() > skip + 24 or folded[begun.start() - 1 : begun.start()].isalnum()):
        return None
    if begun is None:
        return None
    after = line.start + begun.end()
    agency = scan.names.first_agency(after, min(line.end, after + 80))
    between = re.findall(r"\w+", scan.text[after : agency.start]) if agency is not None else []
    if agency is None or not all(w[0].isupper() or plain(w) in words("before_names") or plain(w) in words("byline_words") for w in between):
        return None
    return agency.name


def _closing(scan: Scan, low: int, end: int) -> Span | None:
    """An agency behind the last words: "… on Friday. (AFP)", "— Reuters"."""
    found = CLOSING.search(scan.text, low, end)
    if found is None:
        return None
    name = known_part((found[1] or found[2]).strip(), scan.registry)
    if name is None or not SENTENCE_END.search(scan.text[low : found.start()] or "."):
        return None
    return (found.start(), end, name)
