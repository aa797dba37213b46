"""Credits of pictures and videos: a caption that ends in "via AP" says nothing about the text around it."""

from __future__ import annotations

import functools
import re

from syndtrack.reading.credit_known import Known
from syndtrack.reading.credit_lines import MAX_JOINT, Line, Scan, joint_agencies
from syndtrack.reading.credit_names import CLOSED, Name, is_known, is_press, name_at
from syndtrack.reading.credit_wording import RUN, UNSPACED, WORD, Sieve, heads, pattern, plain, rights, sieve, table, words

Span = tuple[int, int, str | None]

MAX_CAPTION = 300  # a longer line is prose, and only what stands in brackets in it can be a picture's credit
MAX_CREDIT = 80  # behind a caption: "Photo: Ines Torvald/AFP"
MAX_MARKED = 160  # a caption known by its ending only
QUOTES = frozenset('“”„«»"')
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
# "Passengers waiting at the port", not "in a meeting".
DOING = re.compile(r"(?<!\ba )(?<!\bthe )(?<!\bin )(?<!\bof )(?<!\bat )(?<!\bthis )(?<!\bfor )\b[a-z]{2,12}ing\b(?= \w)")
MAX_PHRASED = 200
MAX_MARKS = 12  # agencies and archives looked at in one line

BRACKETED = re.compile(r"[(\[（【][^()\[\]（）【】\n]{3,160}[)\]）】]")
TAIL_WORD = r"(?:files?(?: photo)?|pool|handout|images?|photo|less|archiv|archivo|north america|europe)"
CLOSERS = r"[\s.,;:/)\]>*|]{0,4}"
TAIL = re.compile(rf"{CLOSERS}(?:(?:,|/|\s)?\s?{TAIL_WORD}\b{CLOSERS}){{0,2}}", re.IGNORECASE)
AGENCY_PHOTO = "(?:ap|afp|reuters|epa|efe|ansa|xinhua|pti)"
VIA = re.compile(r"(?<!\w)(?:via|vía|через|por medio de)[\s:]+(?:the |l'|la )?$", re.IGNORECASE)
COMMA_VIA = re.compile(r"[,–—]\s*(?:via|vía)\s+", re.IGNORECASE)
COURTESY = re.compile(r"(?:^|[(\[:.|/]\s*|toggle caption )(?:photo )?courtesy(?: of|:)? ")
SUPPLIERS = "supplied|handout|youtube|getty|shutterstock|istock|screenshot|instagram|reuters pictures"
SUPPLIED = re.compile(rf"(?:image |photo )?source ?: ?(?:{SUPPLIERS})\b")
WATCHED = re.compile(r"(?:watch|video|see the video|listen)\b.{0,120}\b(?:via|courtesy of)\s+")
COPYRIGHT = re.compile(r"(?:©|\(c\))\s?(?!\s?(?:19|20)\d\d)[^.!?©]{0,50}$", re.IGNORECASE)
TAKEN = re.compile(r"[^\n。，]{2,24}(?:摄|攝|撮影)[)）]?$")
SEGMENT = re.compile(r"[.!?:;(\[|\"“”)\]]\s*")
JOINT_WORDS = "by|credits?|courtesy|via|von|de|di|par|por|of|copyright|source|quelle|oleh|av|af|door|od|przez|από|bởi|автор"
JOINT = re.compile(rf"\s{{0,2}}(?:[:=©|/]|\((?:c|©)\)|\.(?=\s)|\s(?:{JOINT_WORDS})(?=[\s:]))[\s:]{{0,3}}")
SLASHED = re.compile(r"\s[^\s/]+(?:\s[^\s/]+){0,3}\s?/\s?\S")
BEHIND_SLASH = re.compile(r"/\s?[^\s/]+(?: [^\s/]+){0,4}(?:/[^\n]{0,30})?[.)\s]*")


@functools.cache
def _label_starts() -> frozenset[str]:
    """The first words of all labels of scripts with spaces."""
    labels = {plain(label) for rule in table("media")["rule"] for label in rule["label"]}
    return frozenset(head for label in labels if not UNSPACED.match(label) for head in heads(label))


def _may_be_labelled(folded: str) -> bool:
    """Whether a label may stand in a line: most have none of their first words, and those are told in a tenth of the time."""
    return not _label_starts().isdisjoint(RUN.findall(folded)) or (not folded.isascii() and UNSPACED.search(folded) is not None)


@functools.cache
def _labels() -> re.Pattern[str]:
    labels = sorted({plain(label) for rule in table("media")["rule"] for label in rule["label"]}, key=len, reverse=True)
    spaced = "|".join(pattern(label) for label in labels if not UNSPACED.match(label))
    unspaced = "|".join(pattern(label) for label in labels if UNSPACED.match(label))
    return re.compile(rf"(?<![^\W_])(?:{spaced})(?![^\W_])|(?:{unspaced})")


@functools.cache
def _own_ways() -> re.Pattern[str]:
    spaced = "|".join(sorted((re.escape(w) for w in words("own_ways") if not UNSPACED.match(w)), key=len, reverse=True))
    unspaced = "|".join(w for w in words("own_ways") if UNSPACED.match(w))
    return re.compile(rf"[\s(（\[\"“*]{{0,6}}(?:(?:{spaced})(?![^\W_])|{unspaced})", re.IGNORECASE)


@functools.cache
def _archives() -> re.Pattern[str]:
    names = sorted((re.escape(n) for n in table("media")["archives"]["names"]), key=len, reverse=True)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(names)})(?![^\W_])")


@functools.cache
def _archive_sieve() -> Sieve:
    return sieve(table("media")["archives"]["names"])


@functools.cache
def _phrase_sieve() -> Sieve:
    return sieve([*table("media")["words"]["phrases"], *table("media")["words"]["anywhere"], "photo"])


@functools.cache
def _phrases() -> re.Pattern[str]:
    found = table("media")["words"]
    begun, anywhere = ("|".join(pattern(p) for p in found[key]) for key in ("phrases", "anywhere"))
    photo = rf"(?:(?:^|[.—–-]\s*){AGENCY_PHOTO} photos?(?=\s*(?:[/:|.,)©–-]|by\b|$))|[(\[|/]\s*{AGENCY_PHOTO} photos?\b)"
    return re.compile(rf"(?:^|[(\[.|:,—–-]\s*)(?:{begun})\b|(?:{anywhere})|{photo}")


def picture_credits(scan: Scan, line: Line) -> list[Span]:
    """Spans of picture credits in a line, each with the publisher it names: the whole line where that is a caption, else brackets."""
    if len(line) <= MAX_CAPTION:
        found = _caption(scan, line)
        if found is not None:
            return [(line.start, line.end, found or None)]
    spans: list[Span] = []
    for low, high in line.windows():
        for bracket in BRACKETED.finditer(scan.text, low, high):
            inner = _bracketed(scan, bracket.start() + 1, bracket.end() - 1)
            if inner is not None:
                spans.append((bracket.start(), bracket.end(), inner or None))
    return spans


def _caption(scan: Scan, line: Line) -> str | None:
    """The publisher that a caption names, "" if none; None if the line is no caption."""
    folded = line.folded
    if (labelled := _labelled(scan, line, folded)) is not None:
        return labelled
    if "courtesy" in folded and (courtesy := COURTESY.search(folded)):
        name = name_at(scan.text, line.start + courtesy.end(), line.end, scan.registry, strict=True)
        if name is not None:
            return _by_courtesy(scan, line, name)
    short = len(line) <= MAX_PHRASED
    if SUPPLIED.match(folded) or TAKEN.fullmatch(folded) or (short and (_phrased(folded) or _watched(scan, line, folded))):
        return _named(scan.names.first_agency(line.start, line.end))
    return _marked(scan, line.start, line.end, folded)


def _phrased(folded: str) -> bool:
    """Whether words stand there that only stand in a picture's credit."""
    return _phrase_sieve().passes(folded) and _phrases().search(folded) is not None


def _watched(scan: Scan, line: Line, folded: str) -> bool:
    """Whether a line bids to watch what it names the publisher of: "Watch the whole interview below via Somebody."."""
    found = WATCHED.match(folded)
    name = name_at(scan.text, line.start + found.end(), line.end, scan.registry, strict=True) if found else None
    return name is not None and CLOSED.match(scan.text, name.end, line.end) is not None


def _by_courtesy(scan: Scan, line: Line, name: Name) -> str | None:
    """Pictures are courtesy of somebody; texts only of a known publisher, near an end of the article."""
    if name.text and line.edge and (is_known(name.text, scan.registry) or (line.last and is_press(name.text))):
        return None
    return "" if len(line) > MAX_MARKED else name.text or ""


def _labelled(scan: Scan, line: Line, folded: str) -> str | None:
    """A label at the line's start, or one behind a caption that nothing but a credit follows: the publisher named, "" if none."""
    for label in _labels().finditer(folded) if _may_be_labelled(folded) else ():
        before = folded[: label.start()].rstrip()
        first = before.strip('*_([«"“•–—- ') == ""
        if not first and (before[-1:] not in '.!?(|[—–-»"”。（' or len(folded) - label.end() > MAX_CREDIT):
            continue
        if _follows(scan, line.start + label.end(), line.end, label[0]):
            return _named(scan.names.first_agency(line.start + label.end(), line.end))
    return None


def _follows(scan: Scan, at: int, end: int, label: str) -> bool:
    """Whether what stands behind a label is a credit."""
    rest = scan.text[at:end]
    joint = JOINT.match(plain(rest))
    agency = scan.names.first_agency(at, end)
    slashed = len(rest) <= MAX_CREDIT and SLASHED.match(rest) is not None
    if joint is None:
        archive = _archives().match(plain(rest).strip())
        named = agency is not None and agency.end >= end - 3 and len(rest) <= MAX_CREDIT and _credit_like(scan, rest)
        return (slashed and rest.strip()[:1].isupper()) or named or archive is not None
    if not (label in words("soft_labels") or (joint[0].strip() in (".", "of", "de", "di") and "courtesy" not in label)):
        return bool(rest[joint.end() :].strip())
    if slashed or agency is not None or _archives().search(plain(rest)) or "courtesy" in plain(rest):
        return True
    if label in words("clip_labels"):
        return False
    name = name_at(scan.text, at + joint.end(), end, scan.registry, strict=True)
    return name is not None and len(rest) <= MAX_CREDIT and CLOSED.match(scan.text, name.end, end) is not None


def _named(known: Known | None) -> str:
    return known.name if known is not None else ""


def _marked(scan: Scan, start: int, end: int, folded: str) -> str | None:
    """Captions known by how an agency or a picture archive stands in them: "Ines Torvald/AFP", "Saltmarsh Post via AP", "…, via AP."."""
    if end - start <= MAX_JOINT and joint_agencies(scan, start, end):
        return None
    found = [(k.start, k.end, k.name, False) for k in scan.names.between(start, end) if k.agency]
    if _archive_sieve().passes(folded):
        found += [(start + a.start(), start + a.end(), "", True) for a in _archives().finditer(folded)]
    own_way = bool(found) and _own_ways().match(folded) is not None
    for at, stop, name, archive in sorted(found)[:MAX_MARKS]:
        if (archive or not own_way) and _is_mark(scan, (start, at), (stop, end), archive=archive):
            return name
        if archive and own_way and folded.startswith("via") and CLOSED.match(scan.text, stop, end) is not None and at - start <= 6:
            return name
    return _unknown_caption(scan, start, end)


def _is_mark(scan: Scan, before_: tuple[int, int], after_: tuple[int, int], *, archive: bool) -> bool:
    """Whether a name between these two stretches of a line stands there as a picture's credit."""
    before, after = scan.text[slice(*before_)], scan.text[slice(*after_)]
    length = after_[1] - before_[0]
    if VIA.search(before) and len(after) <= 120:
        comma = COMMA_VIA.search(before[-12:]) is not None and TAIL.fullmatch(after) is not None
        return _credit_like(scan, before) or (comma and (archive or _pictures(before)))
    if before.rstrip().endswith("/"):
        return length <= MAX_MARKED and TAIL.fullmatch(after) is not None and _credit_like(scan, before)
    if after.startswith("/") and (not before.strip(" ([") or before.rstrip()[-1:] in '.!?)(|—–:”"'):
        photographer = after[1:].strip()[:1].isupper() and scan.names.first_agency(*after_) is None
        return photographer and len(after) <= 100 and BEHIND_SLASH.fullmatch(after) is not None
    if found := COPYRIGHT.search(before):
        return length <= MAX_CAPTION and TAIL.fullmatch(after) is not None and _is_prose(before[: found.start()])
    return not before.strip(" ([") and TAIL.fullmatch(after) is not None and archive


def _pictures(before: str) -> bool:
    """Whether what stands before ", via X" tells a picture: a year, somebody doing something, words of captions; no whole sentence."""
    folded = plain(before)
    sign = YEAR.search(folded) or DOING.search(folded) or any(w in words("caption_words") for w in WORD.findall(folded))
    return bool(sign) and _no_sentence(before)


def _no_sentence(before: str) -> bool:
    """Whether there is no quotation and no word of a whole sentence."""
    said = [plain(w) for number, w in enumerate(re.findall(r"[^\W\d_]+", before)) if number == 0 or w[0].islower()]
    return not any(c in QUOTES for c in before) and not any(w in words("speech_and_motion") for w in said)


def _is_prose(before: str) -> bool:
    """Whether a caption stands before the mark, and no "all rights reserved"."""
    return len(before.split()) > 1 and rights().search(plain(before)) is None


def _credit_like(scan: Scan, before: str) -> bool:
    """Whether what stands before the mark is names and picture words only, back to the last full stop or bracket."""
    segment = SEGMENT.split(before.rstrip())[-1]
    small = {plain(w) for w in re.findall(r"[^\W\d_]+", segment) if w[0].islower()}
    return all(w in words("connectors") or w in words("picture_words") or is_known(w, scan.registry) for w in small)


def _unknown_caption(scan: Scan, start: int, end: int) -> str | None:
    """A short caption in words of prose that ends in ", via Somebody."."""
    found = COMMA_VIA.search(scan.text, start, end) if end - start <= MAX_MARKED else None
    if found is None or _own_ways().match(scan.text, start, end):
        return None
    before = scan.text[start : found.start()]
    if not any(w[0].islower() and plain(w) not in words("connectors") for w in re.findall(r"[^\W\d_]+", before)):
        return None
    name = name_at(scan.text, found.end(), end, scan.registry, strict=True)
    if name is None or name.text is None or CLOSED.match(scan.text, name.end, end) is None or not _no_sentence(before):
        return None
    return name.text if is_press(name.text) or (is_known(name.text, scan.registry) and _pictures(before)) else None


def _bracketed(scan: Scan, start: int, end: int) -> str | None:
    folded = plain(scan.text[start:end])
    label = _labels().match(folded)
    if (label and _follows(scan, start + label.end(), end, label[0])) or _phrased(folded):
        return _named(scan.names.first_agency(start, end))
    return _marked(scan, start, end, folded)
