"""The small language that the credit rules are written in, and the tables they are read from.

A wording is plain words with `(a|b)` for alternatives, `[x]` for what may be missing, and one slot: `{name}` for a publisher's name,
domain or address; `{author}` before it is a person's name,
`{title}` the headline of the article. There is no repetition and no nesting, so matching one is linear in its own
length. Wordings are kept by their first word: a look-up takes the same time however many languages there are.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from syndtrack.models import CreditKind

SLOT = "{name}"
AUTHOR = "{author}"
TITLE = "{title}"
PLAIN = (("’", "'"), ("ʼ", "'"), ("‘", "'"), ("：", ":"), ("\u00a0", " "), ("\u202f", " "), ("\u2009", " "), ("İ", "i"))
WORD = re.compile(r"[^\W_]{1,40}")
RUN = re.compile(r"[^\W_]+")
BLANK_BEFORE = re.compile(r"(?:^| | \])$")
GROUP = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")
# Scripts written without spaces: there a wording is found by its first character, not by its first word.
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")

# A wording that ends so is written together with the name: Hebrew and Arabic prefixes, scripts without spaces.
GLUED = re.compile(rf"(?:[\u0590-\u06ff]|{UNSPACED.pattern})\)?$")


def plain(text: str) -> str:
    """Text as wordings are compared with it: lower case, plain apostrophes, colons and spaces. Keeps its length."""
    if not text.isascii():
        for written, usual in PLAIN:
            if written in text:
                text = text.replace(written, usual)
    text = text.replace("\t", " ")
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of a rule, parted at its slot.

    `line`: it must be all that stands in its line or brackets. `loose`: its language writes only a name's first word with a capital.
    `glued`: the name is written together with the word before it. `between`: what parts the
    author's name from the publisher's, or the headline (`titled`) from it.
    """

    kind: CreditKind
    line: bool
    loose: bool
    glued: bool
    before: re.Pattern[str]
    after: re.Pattern[str] | None
    between: re.Pattern[str] | None
    titled: bool


def places(text: str, wanted: Iterable[str]) -> list[tuple[int, str]]:
    """Where some words stand, as the whole of a run of letters and digits, in order: faster than going through all words where few are."""
    found = []
    for word in wanted:
        at = text.find(word)
        while at >= 0:
            end = at + len(word)
            if not (text[end : end + 1].isalnum() or (at and text[at - 1].isalnum())):
                found.append((at, word))
            at = text.find(word, end)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Sieve:
    """Tells at once that none of some wordings stands in a text: one word of each, looked for as it is.

    Most lines hold none, and a search for fifty wordings takes ten times as long.
    """

    ascii: tuple[str, ...]
    others: tuple[str, ...]

    def passes(self, folded: str) -> bool:
        """Whether one of the wordings may stand there."""
        return any(map(folded.__contains__, self.ascii)) or (not folded.isascii() and any(map(folded.__contains__, self.others)))


def sieve(written: Iterable[str]) -> Sieve:
    """The sieve of wordings without slots."""
    parts = {part for each in written for part in needed(plain(each))}
    return Sieve(tuple(sorted(filter(str.isascii, parts))), tuple(sorted(p for p in parts if not p.isascii())))


def needed(wording: str) -> set[str]:
    """Parts of which one stands in whatever a wording matches: its longest word outside groups, else one of each choice."""
    outside = GROUP.sub("\0", wording).replace("\0", " ").split()
    if outside:
        return {max(outside, key=len)}
    group = GROUP.search(wording)
    if group is None or group[1] is None:
        return {""}
    return {max(choice.split(), key=len, default="") for choice in group[1].split("|")}


@dataclass(frozen=True, slots=True)
class Wordings:
    """Wordings by the first word before the slot, those that begin with an author, and those that only have words after it."""

    leading: dict[str, tuple[Wording, ...]]
    authored: tuple[Wording, ...]
    trailing: tuple[Wording, ...]
    behind: Sieve  # of the trailing ones

    def starting(self, folded: str, at: int) -> Iterator[tuple[Wording, int]]:
        """Wordings whose words before the slot stand at `at`, and where these end."""
        for wording in self.leading.get(key_at(folded, at), ()):
            if found := wording.before.match(folded, at):
                yield wording, found.end()


def key_at(folded: str, at: int) -> str:
    """What wordings that begin here are kept under: a word, or one character of a script without spaces or letters."""
    if UNSPACED.match(folded, at):
        return folded[at]
    word = WORD.match(folded, at)
    return word[0] if word else folded[at : at + 1]


def heads(wording: str) -> set[str]:
    """The keys of all the beginnings that a wording can have."""
    wording = wording.lstrip()
    found = GROUP.search(wording)
    if found is None or re.search(r"\w[^\w'\-(\[]", wording[: found.start()]) or UNSPACED.match(wording[:1] if found.start() else ""):
        return {key_at(wording, 0)}
    inside = found[1].split("|") if found[1] is not None else [*found[2].split("|"), ""]
    return {head for choice in inside for head in heads((wording[: found.start()] + choice + wording[found.end() :]).lstrip())}


def pattern(words_: str) -> str:
    """A wording as a regular expression over `plain` text."""
    parts: list[str] = []
    at = 0
    for group in GROUP.finditer(words_):
        parts.append(_literal(words_[at : group.start()]))
        choices = sorted((group[1] if group[1] is not None else group[2]).split("|"), key=len, reverse=True)
        alternatives = "|".join(map(_literal, choices))
        at = group.end()
        if group[1] is not None:
            parts.append(f"(?:{alternatives})")
        elif words_[at : at + 1] == " " and BLANK_BEFORE.search(words_, 0, group.start()):
            parts.append(f"(?:(?:{alternatives}) {{1,4}})?")  # a word that may be missing takes its blank with it
            at += 1
        else:
            parts.append(f"(?:{alternatives})?")
    return "".join([*parts, _literal(words_[at:])])


def _literal(text: str) -> str:
    return re.sub(r"(?:\\ )+", " {1,4}", re.escape(text))


@functools.cache
def table(name: str) -> dict[str, Any]:
    """A rules file of this package: `credits_NAME.toml`."""
    return tomllib.loads(files("syndtrack.reading").joinpath("rules", f"credits_{name}.toml").read_text(encoding="utf-8"))


@functools.cache
def words(name: str) -> frozenset[str]:
    """A word list of `credits_words.toml`, in lower case."""
    return frozenset(plain(w) for w in table("words")[name]["words"])


@functools.cache
def wordings(*names: str) -> Wordings:
    """The wordings of these rules files, ready for looking up."""
    leading: dict[str, list[Wording]] = defaultdict(list)
    authored: list[Wording] = []
    trailing: list[Wording] = []
    behind: list[str] = []
    for rule in (rule for name in names for rule in table(name)["rule"]):
        for form in ("line", "sentence"):
            for written in rule.get(form, ()):
                made, keys = _wording(plain(written), rule["kind"], line=form == "line", loose=rule.get("loose", False))
                for key in keys:
                    leading[key].append(made)
                if not keys and made.between is None:
                    trailing.append(made)
                    behind.append(written.partition(SLOT)[2])
                elif not keys:
                    authored.append(made)
    return Wordings({key: tuple(found) for key, found in leading.items()}, tuple(authored), tuple(trailing), sieve(behind))


def _wording(written: str, kind: CreditKind, *, line: bool, loose: bool) -> tuple[Wording, set[str]]:
    before, _, after = written.partition(SLOT)
    titled = TITLE in before
    head, author, between = before.partition(TITLE if titled else AUTHOR)
    made = Wording(
        kind,
        line,
        loose,
        GLUED.search(head) is not None,
        re.compile(pattern(head.rstrip())),
        re.compile(r"[\s\"”»'」』】》,–—-]{0,4}" + pattern(after.strip())) if after.strip() else None,
        re.compile(rf"(?<![^\W_]){pattern(between.strip())}") if author else None,
        titled,
    )
    return made, heads(head) if head.strip() else set()


@functools.cache
def rights() -> re.Pattern[str]:
    """The marks of copyright lines."""
    return re.compile(rf"©|\(c\)|{union(table('wire')['copyright']['marks']).pattern}")


@functools.cache
def rights_sieve() -> Sieve:
    """What tells lines without such a mark."""
    marks = sieve(table("wire")["copyright"]["marks"])
    return Sieve((*marks.ascii, "(c)"), (*marks.others, "©"))


def union(written: Iterable[str]) -> re.Pattern[str]:
    """One expression for many wordings without slots."""
    return re.compile("|".join(sorted((pattern(plain(w)) for w in written), key=len, reverse=True)))
