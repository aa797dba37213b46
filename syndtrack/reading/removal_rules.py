"""The line rules of cleaning: how lines that are not the article look, language by language, from `rules/removals*.toml`.

Kinds of table, each with its `rule` (the name a removal gets), `language`, `reason`, `example` (a line that matches) and `near_miss`
(a line of prose, or of another sense, that does not):

    [[label]]  a phrase at the start of a line that announces another article. `strong` ones may be followed by a headline at once
               ("READ ALSO Minister resigns"), `weak` ones need a separator ("Related: …", "More | …") or stand alone, `open` ones take a
               name before the separator or the end of the line ("More from The Courier: …").
    [[whole]]  `lines` that are the whole line, but for marks around it. Numbers are written 0 ("0 comments").
    [[line]]   `starts` at the start of a line, then the pattern `then`, looked for from there on.
    [[prose]]  `words` of a language in whose company none of its [[line]] and [[cue]] rules holds ("said", "told").
    [[cue]]    any of the words `cues` anywhere in a line of at most 250 code points, and `pattern` found in the line.

All are compared after folding: compatibility forms, case, accents, quotes and dashes are unified, marks before the first word dropped.
Patterns are written folded (no capitals, no accents needed). A line is looked up by its first word (by its first two characters in
scripts without spaces), so that the number of languages costs nothing.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal

LONGEST_BOX = 250  # code points of a line of [[line]] and [[cue]] rules, and of an announced headline

# accents, Arabic vowel signs and hamzas, Hebrew points; not the vowel signs of Indic scripts or Thai, which make other words
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u0655\u0640\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufe0f]+")
_LETTERS = str.maketrans(
    {**dict.fromkeys("’‘‛`´′", "'"), **dict.fromkeys("“”„‟«″", '"'), **dict.fromkeys("–—―−‐‑‒", "-"), "ı": "i", "ی": "ي", "ى": "ي", "ک": "ك"}
)
_LEAD = re.compile(r"(?:[^\w\"'©]|_)+")
_TRAIL = " \t:.…!>»›→▼)]|-"
_FIRST_WORD = re.compile(r"[^\W_]+|©")
_WORDS = re.compile(r"[^\W_]+")
_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*")
_SEPARATOR = re.compile(r"\s*(?:[:|>»›→►▶\])】〉》]+|-+(?=\s))[\s:]*")
_OPEN_NAME = re.compile(r"[^:|>»›→.!?]{0,50}?(?:\s*[:|>»›→►▶]+\s*|\s-+\s)")
_STOPS = re.compile(r"[.。।۔;,]$")


@dataclass(frozen=True, slots=True)
class Folded:
    """A line folded, with its case (`text`) and without (`low`); offsets are alike in both."""

    text: str
    low: str


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule that a line falls under; `opens_list`: a label that stands alone, whose headlines may follow."""

    name: str
    opens_list: bool = False


@dataclass(frozen=True, slots=True)
class _Label:
    phrase: str
    rule: str
    form: Literal["strong", "weak", "open"]


@dataclass(frozen=True, slots=True)
class _Pattern:
    rule: str
    pattern: re.Pattern[str]
    prose: frozenset[str]  # words of the language that tell a story in the third person: no box talks like that


@dataclass(slots=True)
class _Rules:
    whole: dict[str, str] = field(default_factory=dict)
    labels: defaultdict[str, list[_Label]] = field(default_factory=lambda: defaultdict(list))
    lines: defaultdict[str, list[_Pattern]] = field(default_factory=lambda: defaultdict(list))
    cues: defaultdict[str, list[_Pattern]] = field(default_factory=lambda: defaultdict(list))
    cue_words: frozenset[str] = frozenset()
    cue_parts: tuple[str, ...] = ()  # cues of scripts whose words the word pattern does not find: without spaces, or with vowel signs


def fold(line: str) -> Folded:
    """A line as rules compare it."""
    text = _unify(line)
    lead = _LEAD.match(text)
    text = text[lead.end() :] if lead else text
    low = text.casefold().replace("ß", "ss")
    return Folded(text if len(text) == len(low) else low, low)


def rule_of(line: Folded) -> Rule | None:
    """The rule that a folded line falls under, None for prose."""
    key = _key(line.low)
    if not key:
        return None
    rules = _rules()
    for label in rules.labels.get(key, ()):
        if line.low.startswith(label.phrase) and (found := _label(label, line)):
            return found
    if len(line.low) > LONGEST_BOX:
        return None
    if name := rules.whole.get(_NUMBERS.sub("0", line.low.rstrip(_TRAIL))):
        return Rule(name)
    words = _WORDS.findall(line.low)
    for each in rules.lines.get(key, ()):
        if each.pattern.match(line.low) and each.prose.isdisjoint(words):
            return Rule(each.rule)
    cues = [] if rules.cue_words.isdisjoint(words) else [word for word in words if word in rules.cue_words]
    if not line.low.isascii():
        cues += [part for part in rules.cue_parts if part in line.low]
    for cue in cues:
        for each in rules.cues[cue]:
            if each.pattern.search(line.low) and each.prose.isdisjoint(words):
                return Rule(each.rule)
    return None


def raw_rules() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table of the rule files, with its kind."""
    for file in sorted((resources.files(__package__) / "rules").iterdir(), key=lambda f: f.name):
        if file.name.startswith("removals") and file.name.endswith(".toml"):
            for kind, tables in tomllib.loads(file.read_text(encoding="utf-8")).items():
                for table in tables:
                    yield kind, table


def _unify(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text))).translate(_LETTERS)
    return " ".join(text.split())


def _key(low: str) -> str:
    """What a line is looked up by: its first word; its first two characters in scripts from Thai on, many of which do without spaces."""
    if low[:1] >= "\u0e00":
        return low[:2]
    word = _FIRST_WORD.match(low)
    return word.group() if word else ""


def _label(label: _Label, line: Folded) -> Rule | None:
    """A label's line: the label alone, or with something that reads like a headline."""
    at = len(label.phrase)
    tail = line.low[at:]
    if tail[:1].isalnum() and tail[:1] < "\u0e00":
        return None  # within a word
    shouted = line.text[:at].isupper()
    if not any(map(str.isalnum, tail)):
        return Rule(label.rule, opens_list=True) if label.form != "weak" or shouted or ":" in tail else None
    if len(line.low) > LONGEST_BOX:
        return None
    if label.form == "open":
        named = _OPEN_NAME.match(tail)
        if not named:
            return Rule(label.rule, opens_list=True) if len(tail) <= 40 and not _STOPS.search(tail) else None
        return _announced(label, line.text[at + named.end() :], shouted=shouted, apart=True)
    separator = _SEPARATOR.match(tail)
    if separator is None and (label.form == "weak" or not (tail[:1] in " \"'([" or tail[:1] >= "\u0e00")):
        return None
    return _announced(label, line.text[at + (separator.end() if separator else 0) :].lstrip(" \"'(["), shouted=shouted, apart=separator is not None)


def _announced(label: _Label, headline: str, *, shouted: bool, apart: bool) -> Rule | None:
    """Whether what follows a label is a headline: capitalised (where the script has case) or no sentence, and longer than a title after a weak label."""
    if not headline:
        return Rule(label.rule, opens_list=True)
    sentence = _STOPS.search(headline) is not None
    lower = headline[0].islower()
    if label.form == "weak":  # "Exclusive: The minister will resign, aides said." is a lead, "More: A Life" a book
        return None if sentence or (headline.count(" ") < 2 and headline[0] < "\u0e00") else Rule(label.rule)
    if shouted:
        return Rule(label.rule)
    if apart:
        return None if lower and sentence else Rule(label.rule)
    return None if lower or sentence else Rule(label.rule)


@cache
def _rules() -> _Rules:
    rules = _Rules()
    tables = list(raw_rules())
    prose = {table["language"]: frozenset(fold(word).low for word in table["words"]) for kind, table in tables if kind == "prose"}
    for kind, table in tables:
        told = prose.get(table["language"], frozenset())
        if kind == "label":
            for form in ("strong", "weak", "open"):
                for phrase in table.get(form, ()):
                    low = fold(phrase).low
                    rules.labels[_key(low)].append(_Label(low, table["rule"], form))
        elif kind == "whole":
            for line in table["lines"]:
                rules.whole[_NUMBERS.sub("0", fold(line).low.rstrip(_TRAIL))] = table["rule"]
        elif kind == "line":
            by_key: defaultdict[str, list[str]] = defaultdict(list)
            for start in table["starts"]:
                by_key[_key(fold(start).low)].append(re.escape(fold(start).low))
            for key, starts in by_key.items():
                starts.sort(key=len, reverse=True)
                boundary = "" if key >= "\u0e00" else r"(?!\w)"
                rules.lines[key].append(_Pattern(table["rule"], re.compile(f"(?:{'|'.join(starts)}){boundary}(?:{_unify(table['then'])})"), told))
        elif kind == "cue":
            pattern = _Pattern(table["rule"], re.compile(_unify(table["pattern"])), told)
            for cue in table["cues"]:
                rules.cues[fold(cue).low].append(pattern)
    rules.cue_words = frozenset(cue for cue in rules.cues if cue < "\u0900" and _WORDS.fullmatch(cue))
    rules.cue_parts = tuple(cue for cue in rules.cues if cue not in rules.cue_words)
    for labels in rules.labels.values():
        labels.sort(key=lambda label: len(label.phrase), reverse=True)
    return rules
