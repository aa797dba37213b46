"""The line rules of cleaning: how lines that are not the article look, language by language, from `rules/removals*.toml`.

Kinds of table, each with its `rule` (the name a removal gets), `language`, `reason`, `example` (a line that matches) and `near_miss`
(a line of prose, or of another sense, that does not):

    [[label]]  a phrase at the start of a line that announces another article. `strong` ones may be followed by a headline at once
               ("READ ALSO Minister resigns"), `weak` ones need a separator ("Related: …", "More | …") or stand alone, `open` ones take a
               name, but none of the group "occasions", before the separator or the end of the line ("More from The Mirror: …"), `kicker`
               ones are also headings of articles and count in capitals only ("VIDEO: …").
    [[whole]]  `lines` that are the whole line, but for marks around it. Numbers are written 0 ("0 comments").
    [[line]]   `starts` at the start of a line (0 for any number); then either nothing (`alone`), or a rest of at most `within` code points
               (200), of `one_sentence` where that is said, that holds one of the phrases `holds` (of whole words; "subscri*" for any
               ending), or a rest that the pattern `then` matches.
    [[cue]]    any of `cues` anywhere in a line, also within words, of at most 250 code points, and `pattern` found in the line.
    [[group]]  `names` that `holds` and patterns have as <name>.
    [[prose]]  `words` of a language in whose company none of its [[line]] and [[cue]] rules holds ("said", "told"), but for a [[line]] that
               `tells` of something itself ("This report was generated …").

All are compared after folding: compatibility forms, case, accents, quotes and dashes are unified, marks before the first word dropped.
Patterns are written folded (no capitals, no accents needed). A line is looked up by its first word (all numbers alike; by its first two
characters in scripts without spaces), so that the number of languages costs nothing. Groups that repeat are atomic, so that no line of
250 code points keeps a pattern busy.
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
from itertools import chain
from typing import Any, Literal

from ..words import is_overlong

LONGEST_LINE = 250  # code points; longer lines are prose to all rules

# Patterns looked for in all lines of one text; each takes up to half a millisecond for a line that is made to keep it busy, and one line
# can hold the cues of ten languages. Of 2,000 articles none needed more than 49.
MOST_SEARCHES = 1_000

# accents, Arabic vowel signs and hamzas, Hebrew points; not the vowel signs of Indic scripts or Thai, which make other words
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u0655\u0640"  # and marks that are not seen:
    "\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufe0f]+"
)
_QUOTES_AND_DASHES = {**dict.fromkeys("’‘‛`´′", "'"), **dict.fromkeys("“”„‟«″", '"'), **dict.fromkeys("–—―−‐‑‒", "-")}
_LETTERS = str.maketrans({**_QUOTES_AND_DASHES, "ı": "i", "ی": "ي", "ى": "ي", "ک": "ك"})
_LEAD = re.compile(r"(?:[^\w\"'©]|_)+")
_TRAIL = " \t:.…!>»›→▼)]|-"
_FIRST_WORD = re.compile(r"[^\W_]+|©")
_WORDS = re.compile(r"[^\W_]+")
_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*")
_SEPARATOR = re.compile(r"\s*(?:[:|>»›→►▶\])】〉》]+|-+(?=\s))[\s:]*")
_OPEN_NAME = re.compile(r"[^:|>»›→.!?]{0,50}?(?:\s*[:|>»›→►▶]+\s*|\s-+\s)")
_SENTENCES = re.compile(r"[.!?।]\s+\w|。\s*\w")
_FORMS: tuple[Literal["strong", "weak", "open", "kicker"], ...] = ("strong", "weak", "open", "kicker")
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
    form: Literal["strong", "weak", "open", "kicker"]


@dataclass(frozen=True, slots=True)
class _LineRule:
    rule: str
    starts: re.Pattern[str]
    alone: bool
    within: int
    one_sentence: bool
    holds: tuple[str, ...]
    then: re.Pattern[str] | None
    prose: frozenset[str]  # words of the language that tell a story in the third person: no box talks like that


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity
class _Cue:
    rule: str
    pattern: re.Pattern[str]
    prose: frozenset[str]


@dataclass(slots=True)
class _Rules:
    whole: dict[str, str] = field(default_factory=dict)
    labels: defaultdict[str, list[_Label]] = field(default_factory=lambda: defaultdict(list))
    lines: defaultdict[str, list[_LineRule]] = field(default_factory=lambda: defaultdict(list))
    cues: defaultdict[str, list[_Cue]] = field(default_factory=lambda: defaultdict(list))
    ascii_cues: tuple[str, ...] = ()
    occasions: frozenset[str] = frozenset()
    longest_whole: int = 0


def fold(line: str) -> Folded:
    """A line as rules compare it; nothing of one that is too long to be compared once its compatibility characters are written out."""
    text = "" if is_overlong(line, 2 * LONGEST_LINE) else _unify(line)
    lead = _LEAD.match(text)
    text = text[lead.end() :] if lead else text
    low = text.casefold().replace("ß", "ss")
    return Folded(text if len(text) == len(low) else low, low)


@dataclass(slots=True)
class Effort:
    """How many more patterns of boxes may be looked for in a text's lines."""

    left: int = MOST_SEARCHES


def rule_of(line: Folded, effort: Effort | None = None) -> Rule | None:
    """The rule that a folded line falls under, None for prose. The lines of one text share their `effort`."""
    key = _key(line.low)
    if not key or len(line.low) > LONGEST_LINE:
        return None
    rules = _rules()
    for label in rules.labels.get(key, ()):
        if line.low.startswith(label.phrase) and (found := _label(label, line)):
            return found
    name = rules.whole.get(_NUMBERS.sub("0", line.low.rstrip(_TRAIL))) if len(line.low) <= rules.longest_whole else None
    name = name or _box(rules, key, line.low, effort or Effort())
    return Rule(name) if name else None


def _box(rules: _Rules, key: str, low: str, effort: Effort) -> str | None:
    """The [[line]] or [[cue]] rule of a line."""
    for each in rules.lines.get(key, ()):
        start = each.starts.match(low)
        if start and _continues(each, low[start.end() :], effort) and each.prose.isdisjoint(_WORDS.findall(low)):
            return each.rule
    held = [rules.cues[name] for name in (rules.ascii_cues if low.isascii() else rules.cues) if name in low]
    words = _WORDS.findall(low) if held else []
    for cue in dict.fromkeys(chain.from_iterable(held)):
        if effort.left and cue.prose.isdisjoint(words):
            effort.left -= 1
            if cue.pattern.search(low):
                return cue.rule
    return None


def _continues(rule: _LineRule, rest: str, effort: Effort) -> bool:
    """Whether a line goes on as its rule has it, after what it starts with."""
    words = _WORDS.findall(rest)
    if not words:
        return rule.alone
    if rule.then and effort.left:
        effort.left -= 1
        if rule.then.match(rest):
            return True
    if len(rest) > rule.within or (rule.one_sentence and _SENTENCES.search(rest)):
        return False
    text = f" {' '.join(words)} "
    if not rest.isascii():
        text += rest  # phrases of scripts that the word pattern takes apart stand here
    return any(phrase in text for phrase in rule.holds)


def rule_files() -> Iterator[bytes]:
    """The rule files, in order of their names."""
    for file in sorted((resources.files(__package__) / "rules").iterdir(), key=lambda f: f.name):
        if file.name.startswith("removals") and file.name.endswith(".toml"):
            yield file.read_bytes()


def raw_rules() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table of the rule files, with its kind."""
    for content in rule_files():
        for kind, tables in tomllib.loads(content.decode()).items():
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
    if not word:
        return ""
    return "0" if low[word.start()].isdigit() else word.group()


def _label(label: _Label, line: Folded) -> Rule | None:
    """A label's line: the label alone, or with something that reads like a headline."""
    at = len(label.phrase)
    tail = line.low[at:]
    shouted = line.text[:at].isupper()
    if (tail[:1].isalnum() and tail[:1] < "\u0e00") or (label.form == "kicker" and not shouted):
        return None  # within a word, or a heading
    if not any(map(str.isalnum, tail)):
        return Rule(label.rule, opens_list=True) if label.form in ("strong", "open") or shouted or ":" in tail else None
    if label.form == "open":
        return _open_label(label, line, shouted=shouted)
    separator = _SEPARATOR.match(tail)
    if separator is None and (label.form != "strong" or not (tail[:1] in " \"'([" or tail[:1] >= "\u0e00")):
        return None
    headline = line.text[at + (separator.end() if separator else 0) :].lstrip(" \"'([")
    return _announced(label, headline, shouted=shouted, apart=separator is not None)


def _open_label(label: _Label, line: Folded, *, shouted: bool) -> Rule | None:
    """The line of a label that takes a name: "More on the strike: Pilots walk out", not "Also on Monday: Parliament votes"."""
    at = len(label.phrase)
    tail = line.low[at:]
    named = _OPEN_NAME.match(tail)
    name = _WORDS.findall(named.group() if named else tail[:50])
    if name and (name[0].isdecimal() or not _rules().occasions.isdisjoint(name)):
        return None
    if named:
        headline = line.text[at + named.end() :]
        told = line.text[at:].lstrip()[:1].islower() and headline[:1].islower()  # "More on that later: the pilots wait"
        return None if told and not shouted else _announced(label, headline, shouted=shouted, apart=True)
    return Rule(label.rule, opens_list=True) if len(tail) <= 40 and not _STOPS.search(tail) else None


def _announced(label: _Label, headline: str, *, shouted: bool, apart: bool) -> Rule | None:
    """Whether what follows a label is a headline: capitalised (where the script has case) or no sentence; after a weak one, both."""
    if not headline:
        return Rule(label.rule, opens_list=True)
    sentence = _STOPS.search(headline) is not None
    lower = headline[0].islower()
    if label.form in ("weak", "kicker"):  # "Exclusive: The minister will resign, aides said." is a lead, "More: A Life" a book
        return None if sentence or (lower and not shouted) or (headline.count(" ") < 2 and headline[0] < "\u0e00") else Rule(label.rule)
    prose = lower and sentence if apart else lower or sentence
    return Rule(label.rule) if shouted or not prose else None


@cache
def _rules() -> _Rules:
    rules = _Rules()
    tables = list(raw_rules())
    prose = {table["language"]: frozenset(fold(word).low for word in table["words"]) for kind, table in tables if kind == "prose"}
    groups = {f"<{table['name']}>": table for kind, table in tables if kind == "group"}
    for kind, table in tables:
        if kind == "label":
            _add_labels(rules, table)
        elif kind == "whole":
            rules.whole.update({_NUMBERS.sub("0", fold(line).low.rstrip(_TRAIL)): table["rule"] for line in table["lines"]})
        elif kind == "line":
            _add_line(rules, table, groups, frozenset() if table.get("tells") else prose.get(table["language"], frozenset()))
        elif kind == "cue":
            cue = _Cue(table["rule"], _compiled(table["pattern"], groups), prose.get(table["language"], frozenset()))
            for word in table["cues"]:
                rules.cues[fold(word).low].append(cue)
    rules.occasions = frozenset(fold(name).low for name in groups["<occasions>"]["names"])
    rules.ascii_cues = tuple(filter(str.isascii, rules.cues))
    rules.longest_whole = max(map(len, rules.whole)) + 8  # room for marks around it and longer numbers
    for labels in rules.labels.values():
        labels.sort(key=lambda label: len(label.phrase), reverse=True)
    return rules


def _add_labels(rules: _Rules, table: dict[str, Any]) -> None:
    for form in _FORMS:
        for phrase in table.get(form, ()):
            low = fold(phrase).low
            rules.labels[_key(low)].append(_Label(low, table["rule"], form))


def _add_line(rules: _Rules, table: dict[str, Any], groups: dict[str, dict[str, Any]], prose: frozenset[str]) -> None:
    holds = [name for phrase in table.get("holds", ()) for name in (groups[phrase]["names"] if phrase in groups else (phrase,))]
    then = _compiled(table["then"], groups) if "then" in table else None
    starts: defaultdict[str, set[str]] = defaultdict(set)
    for start in table["starts"]:
        low = fold(start).low
        starts[_key(low)].add(_NUMBERS.sub(r"\\d+(?:[.,]\\d+)*", re.escape(low)))
    for key, phrases in starts.items():
        boundary = "" if key >= "\u0e00" else r"(?!\w)"
        pattern = re.compile(f"(?:{'|'.join(sorted(phrases, key=len, reverse=True))}){boundary}")
        rule = _LineRule(
            table["rule"], pattern, table.get("alone", False), table.get("within", 200), table.get("one_sentence", False),
            tuple(map(_held, holds)), then, prose,
        )  # fmt: skip
        rules.lines[key].append(rule)


def _held(phrase: str) -> str:
    """A phrase as it is looked for in a rest: between spaces, or as it is in scripts that the word pattern takes apart."""
    low = fold(phrase).low
    if low >= "\u0900":
        return low
    return f" {' '.join(_WORDS.findall(low))}" + ("" if low.endswith("*") else " ")


def _compiled(pattern: str, groups: dict[str, dict[str, Any]]) -> re.Pattern[str]:
    for name, group in groups.items():
        pattern = pattern.replace(name, f"(?:{'|'.join(each.rstrip('*') for each in group['names'])})")
    return re.compile(_unify(pattern).replace("ß", "ss"))
