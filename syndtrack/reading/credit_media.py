"""Credits of pictures and videos: a caption that ends in "via AP" says nothing about the text around it."""

from __future__ import annotations

import functools
import re

from syndtrack.publishers import Registry
from syndtrack.reading.credit_known import Known, KnownNames
from syndtrack.reading.credit_names import CLOSED, is_known, name_at
from syndtrack.reading.credit_wording import UNSPACED, pattern, plain, table, words

MAX_CAPTION = 300  # a longer line is prose, and only what stands in brackets in it can be a picture's credit
MAX_CREDIT = 80  # behind a caption: "Photo: Anna Brand/AFP"
WINDOW = 600

BRACKETED = re.compile(r"[(\[（【][^()\[\]（）【】\n]{3,160}[)\]）】]")
TAIL = re.compile(r"[\s.,;:/)\]>*|]{0,4}(?:(?:,|/|\s)?\s?(?:files?(?: photo)?|pool|handout|images?|photo|less|archiv|archivo|north america|europe|file photo)\b[\s.,)\]»]{0,4}){0,2}", re.IGNORECASE)
VIA = re.compile(r"(?<!\w)(?:via|vía|pośrednictwem|через|por medio de)[\s:]+(?:the |l'|la )?$", re.IGNORECASE)
OWN_WAYS = re.compile(r"[\s(\[\"“*]*(?:by|authored|written|source|sources|via|h/t|hat tip|von|par|por|di|fonte|fuente|quelle)\b", re.IGNORECASE)
COURTESY = re.compile(r"(?:^|[(\[:.|]\s*|toggle caption )(?:photo )?courtesy[: ]", re.IGNORECASE)
WATCHED = re.compile(r"(?:watch|video|see the video|listen)\b.{0,120}\b(?:via|courtesy of)\s+[^\s]", re.IGNORECASE)
SEGMENT = re.compile(r"[.!?:;(\[|\"“”)\]]\s*")


@functools.cache
def _label() -> re.Pattern[str]:
    labels = sorted({pattern(plain(label)) for rule in table("media")["rule"] for label in rule["label"]}, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(labels)})")


@functools.cache
def _archives() -> re.Pattern[str]:
    names = sorted((re.escape(n) for n in table("media")["archives"]["names"]), key=len, reverse=True)
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(names)})(?![^\W_])")


@functools.cache
def _phrases() -> re.Pattern[str]:
    phrases = "|".join(pattern(p) for p in table("media")["words"]["phrases"])
    return re.compile(rf"(?:^|[(\[.|:,—–-]\s*)(?:{phrases})|toggle caption|see more angles|/getty images|via getty|ap photo|afp photo")


SOFT = frozenset({"video", "vídeo", "vidéo", "watch", "graphic", "graphics", "grafik", "cartoon", "arte", "crédito", "créditos", "crédits", "crédit", "credit", "credits", "footage", "arhiva", "arkiv", "видео", "відео", "ph", "légende", "copertina", "архив", "αρχείο", "illustration", "illustrations", "ilustración", "image", "images", "bild", "kép", "图", "圖", "hình"})


def picture_credits(text: str, start: int, end: int, registry: Registry, known: KnownNames, *, last: bool) -> list[tuple[int, int, str | None]]:
    """Spans of picture credits in a line, each with the publisher it names: the whole line where that is a caption, else brackets."""
    if end - start <= MAX_CAPTION:
        found = _caption(text, start, end, registry, known, last=last)
        if found is not None:
            return [(start, end, found or None)]
    spans: list[tuple[int, int, str | None]] = []
    windows = [(start, end)] if end - start <= 2 * WINDOW else [(start, start + WINDOW), (end - WINDOW, end)]
    for low, high in windows:
        for bracket in BRACKETED.finditer(text, low, high):
            inner = _bracketed(text, bracket.start() + 1, bracket.end() - 1, registry, known)
            if inner is not None:
                spans.append((bracket.start(), bracket.end(), inner or None))
    return spans


def _caption(text: str, start: int, end: int, registry: Registry, known: KnownNames, *, last: bool) -> str | None:
    """The publisher that a caption names, "" if none; None if the line is no caption."""
    folded = plain(text[start:end])
    if labelled := _labelled(text, start, end, folded, registry, known):
        return labelled[0]
    if COURTESY.search(folded):
        name = name_at(text, start + folded.index("courtesy") + 8 + (4 if "courtesy of " in folded else 0), end, registry, strict=True)
        if name is not None and name.text and last and (is_known(name.text, registry) or "." in name.text):
            return None
        return "" if name is None or end - start > 160 else name.text or ""
    if end - start <= 200 and _phrases().search(folded):
        return _named(known.first_agency(text, start, end))
    if end - start <= 200 and WATCHED.match(folded):
        return _named(known.first_agency(text, start, end))
    return _marked(text, start, end, folded, registry, known)


def _labelled(text: str, start: int, end: int, folded: str, registry: Registry, known: KnownNames) -> tuple[str] | None:
    """A label at the line's start, or one behind a caption that nothing but a credit follows."""
    for label in _label().finditer(folded):
        at = label.start()
        before = folded[:at].rstrip()
        behind = before.strip("*_([«\"“•–—- ") == ""
        unspaced = UNSPACED.match(label[0]) is not None
        if not behind and (before[-1:] not in ".!?(|[—–-»\"”。（" or len(folded) - label.end() > MAX_CREDIT):
            continue
        if not unspaced and folded[label.end() : label.end() + 1].isalnum():
            continue
        if not behind and not before.endswith(("(", "[", "（")) and at and not folded[at - 1].isspace() and not unspaced:
            continue
        if _follows(text, start + label.end(), end, label[0], registry, known):
            return (_named(known.first_agency(text, start + label.end(), end)),)
    return None


JOINT = re.compile(r"\s{0,2}(?:[:=©|/]|\((?:c|©)\)|\.(?=\s)|\s(?:by|credit[s]?|courtesy|via|von|de|di|par|por|of|copyright|source|quelle|oleh|av|af|door|od|przez|από|bởi)(?=[\s:]))[\s:]{0,3}")


def _follows(text: str, at: int, end: int, label: str, registry: Registry, known: KnownNames) -> bool:
    """Whether what stands behind a label is a credit."""
    rest = text[at:end]
    joint = JOINT.match(plain(rest))
    agency = known.first_agency(text, at, end)
    slashed = re.match(r"\s[^\s/]+(?:\s[^\s/]+){0,3}\s?/\s?\S", rest) is not None and len(rest) <= MAX_CREDIT
    if joint is None:
        return (slashed and rest.strip()[:1].isupper()) or (agency is not None and agency.start <= at + 2 and agency.end >= end - 3)
    if label in SOFT or joint[0].strip() in (".", "of", "de", "di"):
        name = name_at(text, at + joint.end(), end, registry, strict=True)
        whole = name is not None and CLOSED.match(text, name.end, end) is not None
        return slashed or agency is not None or _archives().search(plain(rest)) is not None or (whole and len(rest) <= 60)
    return bool(rest[joint.end() :].strip())


def _named(known: Known | None) -> str:
    return known.name if known is not None else ""


def _marked(text: str, start: int, end: int, folded: str, registry: Registry, known: KnownNames) -> str | None:
    """Captions known by how an agency or a picture archive stands in them: "Anna Brand/AFP", "Harbour Post via AP", "…, via AP."."""
    own_way = OWN_WAYS.match(folded) is not None
    for at, stop, name, archive in _picture_names(text, start, end, folded, known):
        if own_way and not archive:
            continue
        before, after = text[start:at], text[stop:end]
        if VIA.search(before) and (_credit_like(before) or _ends_caption(before, after)) and len(after) <= 120:
            return name
        short = end - start <= 160 and TAIL.fullmatch(after) is not None
        if before.rstrip().endswith("/") and short and not own_way and _credit_like(before):
            return name
        if after[:1] == "/" and end - start <= 100 and re.fullmatch(r"/\s?[^\s/]+(?: [^\s/]+){0,4}(?:/[^\n]{0,30})?[.)\s]*", after) and not known.first_agency(text, stop, end) and not before.strip(" (["):
            return name
    return _unknown_caption(text, start, end, registry)


def _picture_names(text: str, start: int, end: int, folded: str, known: KnownNames) -> list[tuple[int, int, str, bool]]:
    found = [(k.start, k.end, k.name, False) for k in known.find(text, start, end) if k.agency]
    found += [(start + a.start(), start + a.end(), "", True) for a in _archives().finditer(folded)]
    return sorted(found)[:12]


def _credit_like(before: str) -> bool:
    """Whether what stands before the mark is names and picture words only, back to the last full stop or bracket."""
    segment = SEGMENT.split(before.rstrip())[-1] if before.strip() else ""
    tokens = re.findall(r"[^\W\d_]+", re.sub(VIA, "", segment + " "))
    small = [w for w in tokens if w[0].islower() and plain(w) not in words("connectors") and plain(w) not in PICTURE_WORDS]
    return not small


PICTURE_WORDS = frozenset({"photo", "pool", "handout", "image", "images", "featured", "file", "via", "courtesy", "foto", "picture", "screenshot", "s", "caption", "toggle", "enlarge", "this", "by", "from", "credit", "source", "copyright"})


def _ends_caption(before: str, after: str) -> bool:
    """ "Protests near the embassy in 2019, via AP." """
    return re.search(r"[,.–—]\s*(?:via|vía)\s+\S{0,4}$", before, re.IGNORECASE) is not None and TAIL.fullmatch(after) is not None


def _unknown_caption(text: str, start: int, end: int, registry: Registry) -> str | None:
    """A short caption in words of prose that ends in ", via Somebody."."""
    if end - start > 160:
        return None
    found = re.search(r"[,–—]\s*(?:via|vía)\s+", text[start:end], re.IGNORECASE)
    if found is None or OWN_WAYS.match(text[start:end]):
        return None
    before = text[start : start + found.start()]
    if not any(w[0].islower() and plain(w) not in words("connectors") for w in re.findall(r"[^\W\d_]+", before)):
        return None
    name = name_at(text, start + found.end(), end, registry, strict=True)
    if name is None or name.text is None or CLOSED.match(text, name.end, end) is None:
        return None
    return name.text


def _bracketed(text: str, start: int, end: int, registry: Registry, known: KnownNames) -> str | None:
    folded = plain(text[start:end])
    label = _label().match(folded)
    if label and not folded[label.end() : label.end() + 1].isalnum() and _follows(text, start + label.end(), end, label[0], registry, known):
        return _named(known.first_agency(text, start, end))
    if _phrases().search(folded):
        return _named(known.first_agency(text, start, end))
    return _marked(text, start, end, folded, registry, known)
