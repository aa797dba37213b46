"""Where a publisher's name begins and ends, and whether words can be one at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syndtrack.publishers import Registry
from syndtrack.reading.credit_wording import plain, words

MAX_WORDS = 8
MAX_NAME = 80
MAX_ADDRESS = 500
DASHES = frozenset({"-", "–", "—", "/", "|"})

ADDRESS = re.compile(r"https?://[^\s<>\"'|\]）】]{3,}", re.IGNORECASE)
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?\.){1,4}[a-z]{2,12}(?:/[\w./?=&%+-]{0,200})?(?![\w@])", re.IGNORECASE)
TOKEN = re.compile(r"[^\s,;:!?()\[\]{}<>|\"“”„«»*•·、。，；：！？（）「」『』【】《》]+")
OPENING = re.compile(r"[\s\ufffd\"“„«'‘*_•·:\[(<「『【《（-]{0,6}")
ABBREVIATION = re.compile(r"(?:St|Mt|Ft|Mr|Mrs|Dr|Jr|No|Inc|Co|Corp|Ltd|[A-Z](?:\.[A-Z])*)\.")
POSSESSIVE = re.compile(r"['’]s$")
CLOSING_QUOTES = {'"': '"', "“": "”“", "„": "“”", "«": "»", "「": "」", "『": "』", "《": "》", "»": "«"}
PLACE_AND_YEAR = re.compile(r"\b(?:in|im|en|em|nel|w|в) (?:1[5-9]|20)\d\d$")
# Up to four words to the line's end, the first with a capital.
LOOSE = re.compile(r"(?P<name>[^\W\d_a-z][\w&'’-]*(?: [\w&'’-]+){1,3})[\s.,;!?…\"“”»'’*_)\]>]{0,6}$")
# Endings that Turkish, Finnish and Hungarian put behind a name and its mark.
TURKISH = r"['’](?:n?[dt][ae]n?|n?[ıiuü]n|[ıiuü]|y?[ea]|n)$"
INFLECTION = re.compile(rf"{TURKISH}|-(?:lehde\w{{2,4}}|sivusto\w{{2,4}}|n[ea]k|b[ae]n|b[óő]l|t[óő]l|r[óő]l)$")
ENDING = re.compile(r"[.…\-–—/'’]+$")
# After a name: nothing but closing punctuation, or an invitation to read the original.
MARKS = r"[\s.,;:!?…\"“”»'’*_)\]>。，）」』】》|।–—-]{0,12}"
GO_TO_ORIGINAL = r"(?:go to|read the|read|see|view|click for)(?: the| full)? original(?: article| story| here)?[ .\])]{0,4}"
# Names of a list, between commas, bars or "and".
LISTED = re.compile(r"[,;/|&、，]\s?(?:(?:and|und|et|y|e|og|och|en|i|и|та|ve)\s)?|\s(?:and|und|et|y|e|og|och|en|i|и|та|ve)\s")
MAX_LIST = 200
MAX_LISTED = 8
CLOSED = re.compile(rf"{MARKS}(?:{GO_TO_ORIGINAL})?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a text. `end` is where it stops; `url` and no `text` where an address stands in its place."""

    text: str | None
    start: int
    end: int
    url: str | None = None


def caseless(character: str) -> bool:
    """A letter of a script that has no capitals."""
    return character.isalpha() and character.lower() == character.upper()


def name_at(text: str, at: int, stop: int, registry: Registry, *, strict: bool = False, loose: int = 0) -> Name | None:
    """The name that begins at `at` (after quotes and an article), not beyond `stop`; None if nothing there looks like a name.

    `strict`: a word in small letters is a name only if the registry knows it. `loose`: all up to `stop` is the name if it has no more
    words than that and begins with a capital, for languages that write a name's other words in small letters.
    """
    opening = OPENING.match(text, at, stop)
    start = opening.end() if opening else at
    if opening and (quoted := _quoted(text, start, stop, opening[0])) is not None:
        return quoted
    if address := ADDRESS.match(text, start, min(stop, start + MAX_ADDRESS)):
        url = address[0].rstrip(".,;:!?)…。")
        return Name(None, start, start + len(url), url)
    if host := HOST.match(text, start, min(stop, start + 300)):
        return _from_host(host[0], start)
    start = _after_article(text, start, stop)
    end = _grown(text, start, stop)
    if end is None:
        return _small(text, start, stop, registry, strict=strict)
    if loose and (whole := LOOSE.match(text, start, stop)) and whole.end("name") > end and len(whole["name"].split()) <= loose:
        end = whole.end("name")
    return _checked(text, start, end, registry)


def _quoted(text: str, start: int, stop: int, opening: str) -> Name | None:
    """A name in quotation marks: all that stands between them."""
    closing = next((CLOSING_QUOTES[mark] for mark in reversed(opening) if mark in CLOSING_QUOTES), None)
    found = re.compile(rf"[^{closing}\n]{{2,{MAX_NAME}}}(?=[{closing}])").match(text, start, stop) if closing else None
    if found is None or len(found[0].split()) > MAX_WORDS or ADDRESS.match(found[0]):
        return None
    if not (found[0][0].isupper() or caseless(found[0][0])):
        return None
    name = found[0].strip().rstrip(",.;:")
    return Name(name, start, start + len(name)) if name else None


def _from_host(found: str, start: int) -> Name | None:
    domain, slash, path = found.partition("/")
    last = domain.rpartition(".")[2]
    if not last.isalpha() or (not slash and (last[0].isupper() and not last.isupper())):
        return None if not last.isalpha() else Name(domain, start, start + len(domain))
    end = start + len(found.rstrip("./"))
    return Name(domain, start, end, f"http://{found.rstrip('./')}" if slash and path.strip("/") else None)


def _after_article(text: str, start: int, stop: int) -> int:
    """Past an article or a word such as "website" in small letters: "the Saltmarsh Post", "der Rundschau"."""
    for _ in range(3):
        token = TOKEN.match(text, start, stop)
        if token is None or plain(token[0]) not in words("before_names") or token[0][0].isupper():
            break
        start = token.end()
        while start < stop and text[start] in " \u00a0\"“„«'‘":
            start += 1
    for elided in ("l'", "l’", "dell'", "all'", "dell’", "all’", "d'", "d’"):
        if text.startswith(elided, start):
            return start + len(elided)
    return start


def _grown(text: str, start: int, stop: int) -> int | None:
    """The end of a run of capitalised words and the small words between them; None if the first word is not one."""
    end, at = None, start
    stop = min(stop, start + 2 * MAX_NAME)
    for _ in range(MAX_WORDS):
        token = TOKEN.match(text, at, stop)
        if token is None or token[0] in DASHES:
            break
        if _belongs(text, token, stop, first=end is None):
            end = token.end()
        elif end is None or plain(token[0]) not in words("connectors"):
            break
        if end == token.end():
            if possessive := POSSESSIVE.search(token[0]):
                return None if end - 2 <= start else end - len(possessive[0])
            if token[0].endswith((".", "…", "—")) and not ABBREVIATION.fullmatch(token[0]):
                break
        at = token.end()
        while at < stop and text[at] in " \u00a0":
            at += 1
        if at == token.end():
            break
    return None if end is None else _trimmed(text, start, end)


def _belongs(text: str, token: re.Match[str], stop: int, *, first: bool) -> bool:
    """Whether a word is one of a name's main words: written with a capital, of a script without, or a number beside such a one."""
    word = token[0]
    if not first and plain(word.rstrip(".")) in words("months") and not text[token.end() : token.end() + 2].strip(" 0123456789"):
        return False
    if word[0].isdigit():
        return not first or _named_number(text, token.end(), stop)
    return caseless(word[0]) or word[0].isupper() or (word[0].isalpha() and any(c.isupper() for c in word))


def _trimmed(text: str, start: int, end: int) -> int | None:
    """A name's end without closing marks and without an article that belongs to the next words."""
    if ending := INFLECTION.search(text[start:end]):
        end = start + ending.start()
    last = text[start:end].rpartition(" ")[2]
    if not ABBREVIATION.fullmatch(last):
        end = start + len(ENDING.sub("", text[start:end]))
    while " " in text[start:end] and plain(last := text[start:end].rpartition(" ")[2]) in words("before_names") and last[0].isupper():
        if plain(last) not in words("articles"):
            break
        end = start + len(text[start:end].rpartition(" ")[0].rstrip())
    return end if end > start else None


def _named_number(text: str, at: int, stop: int) -> bool:
    """Whether a number begins a name ("20 Minutes") and not a date: a capitalised word follows, no month."""
    following = TOKEN.match(text, at + 1, stop)
    return following is not None and following[0][0].isupper() and plain(following[0].rstrip(".")) not in words("months")


def _small(text: str, start: int, stop: int, registry: Registry, *, strict: bool) -> Name | None:
    """A name in small letters: one the registry knows."""
    token = TOKEN.match(text, start, min(stop, start + MAX_NAME))
    if token is None:
        return None
    word = ENDING.sub("", token[0])
    if word and (registry.named(word) is not None or registry.is_ambiguous(word)):
        return Name(word, start, start + len(word))
    following = text[start + len(word) : min(stop, start + len(word) + 12)]
    if not strict and 4 <= len(word) <= 20 and word.isalpha() and not following.strip(" .)]*") and plain(word) not in words("no_names"):
        return Name(word, start, start + len(word))
    return None


def _checked(text: str, start: int, end: int, registry: Registry) -> Name | None:
    found = text[start:end]
    if not any(c.isalpha() for c in found):
        return None
    first = plain(ENDING.sub("", found.split()[0]))
    if first in words("months") or first in words("weekdays"):
        known = registry.named(found) is not None
        if not known:
            return None
    if plain(found) in words("articles"):
        return None
    if (first in words("pronouns") or PLACE_AND_YEAR.search(found)) and not is_known(found, registry):
        return None
    return Name(found, start, end) if len(found) <= MAX_NAME else None


def is_known(name: str, registry: Registry) -> bool:
    """Whether the registry knows that name, be it one publisher's or several's."""
    return registry.named(name) is not None or registry.is_ambiguous(name)


def known_part(name: str, registry: Registry) -> str | None:
    """The first agency in a joint name such as "dpa/AFP" or "AFP, AP and Reuters"; None if there is none."""
    if registry.is_agency(name):
        return name
    for part in re.split(r"\s*[/,;|&+=・·،、-]\s*|\s+(?:and|und|et|y|e|och|og|en|i|и|та|ve|und|con|avec|with)\s+", name[:MAX_NAME])[:5]:
        if part and registry.is_agency(part.strip(" .'’")):
            return part.strip(" .'’")
    return None


def closes(text: str, at: int, stop: int) -> bool:
    """Whether nothing of weight follows in the line."""
    return stop - at <= 60 and CLOSED.match(text, at, stop) is not None


def is_no_source(name: str) -> bool:
    """Whether a label names no publisher: "Source: Supplied", "Via Twitter"."""
    return plain(name) in words("no_names")


def plausible(name: Name, wording: str, registry: Registry, *, label: bool) -> bool:
    """Whether a name behind these words can be a publisher's: known, an address, or one that is no office's.

    `label`: the words are a short label. Behind words that stand before places, people and works of art as well
    (`weak_wordings`) an unknown name must look like a publisher's.
    """
    found = name.text
    if found is None or plain(found) in words("publishing_platforms"):
        return found is None or not (label or wording in words("weak_wordings"))
    if is_known(found, registry):
        return True
    if label and (is_institution(found) or is_no_source(found)):
        return False
    if wording in words("weak_wordings"):
        if wording == "via" and label and plain(found) not in words("streets"):
            return True  # "Via Glumledger": a line of its own, at an end of the text
        return is_spelt_as_name(found) if wording == "via" else is_press(found)
    return True


def listed_names(text: str, at: int, stop: int, registry: Registry) -> list[Name]:
    """The publishers of a list that is all that stands there: "Corvane Wire, The Pellworth Courier"; none unless there are two or more."""
    stop = min(stop, at + MAX_LIST)
    body = text[at:stop].rstrip(" .;)]）】*")
    found: list[Name] = []
    cuts = list(LISTED.finditer(body))[:MAX_LISTED]
    for start, end in zip([0, *(cut.end() for cut in cuts)], [*(cut.start() for cut in cuts), len(body)], strict=True):
        name = name_at(text, at + start, at + end, registry, strict=True)
        if name is None or name.text is None or text[name.end : at + end].strip(" \"”»'’"):
            return []
        if not (is_known(name.text, registry) or _is_whole_name(name.text)):
            return []
        found.append(name)
    return found if len(found) > 1 else []


def _is_whole_name(name: str) -> bool:
    """Whether an unknown part of a list is a publisher's name by itself: of several words, and no office's."""
    return len(name.split()) > 1 and not (is_institution(name) or is_no_source(name))


def is_press(name: str) -> bool:
    """Whether a name says that it is a newspaper's or a site's."""
    found = re.findall(r"\w+", plain(name))
    return "." in name.strip(".") or any(w in words("press_words") or (len(w) > 6 and w.endswith(_endings("press"))) for w in found)


def is_institution(name: str) -> bool:
    """Whether a name says that it is an office, a university or a company: whom figures come from rather than texts."""
    if is_press(name):
        return False
    found = re.findall(r"\w+", plain(name))
    office = any(word in words("institutions") or word.startswith(tuple(words("institution_stems"))) for word in found)
    return office or (caseless(name[-1]) and name.endswith(_endings("institution")))


def _endings(of: str) -> tuple[str, ...]:
    return tuple(words(f"{of}_endings"))


def is_spelt_as_name(name: str) -> bool:
    """Whether an unknown name is spelt as publishers' names are rather than places': several words, a capital within, an address."""
    parts = [part for part in name.split() if part[0].isalpha()]
    inside = any(any(c.isupper() for c in part[1:]) and not part.isupper() for part in parts)
    return is_press(name) or inside or len(parts) > 1 or caseless(name[0])
