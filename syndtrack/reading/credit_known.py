"""Names the registry knows, found in running text in time linear in the text, however many publishers there are."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from syndtrack.publishers import Registry
from syndtrack.reading.credit_wording import UNSPACED, places

MAX_LOOKED_AT = 400_000  # code points at either end of a text
MAX_NAMES = 5_000  # in one text
THE = ("The ", "THE ")
MIN_INFLECTED = 6  # letters of a word that is looked at for an ending …
MIN_STEM = 5  # … and of the name in it
MAX_KNOWN = 80  # code points of the longest name looked for
# Short prefixes that Arabic and Hebrew write together with the name: "to Reuters" is one word.
PREFIXED = re.compile(r"(?:[وف]?(?:لل|ل|ب|ال|ك)|و|[ולבהמשכ]{1,2})(?=[\u0590-\u06ff])")
# Persian and Urdu write two Arabic letters with characters of their own.
PERSIAN = str.maketrans("يك", "یک")
# Endings that Slavic, Baltic and Finnish languages put on a foreign name: Reutersowi, Рейтеру, Reutersin.
INFLECTED = re.compile(r"(?:[a-ząęółä]{1,4}|[а-яіїє]{1,3})(?!\w)")


# A word, or a run of letters of a script without spaces: a Latin name between such letters is a word, too.
PART = re.compile(rf"{UNSPACED.pattern}{{1,200}}|(?:(?!{UNSPACED.pattern})[^\W_]){{1,40}}")
SPACED = re.compile(r"[^\W_]{1,40}")  # the same in a text without such letters, five times as fast
LONGEST_WORD = 40  # a longer one is taken in pieces
MOST_SOUGHT = 100  # words that are each looked for by itself; 50,000 different ones like "Reutersab" took over nine seconds so
REMEMBERED = 100_000  # words of which it is remembered that no name begins with them


def _key(text: str, at: int) -> str:
    """What a name that begins here is kept under: its first word, with an English article the first two."""
    the = text[at : at + 4] if text[at : at + 4] in THE else ""
    word = PART.match(text, at + len(the))
    if word is None:
        return text[at : at + 1]
    return word[0][0] if UNSPACED.match(word[0]) else the + word[0]


def _ends_word(text: str, end: int) -> bool:
    """Whether a word ends there: no letter follows, or one of a script whose words are not parted by blanks."""
    return not text[end : end + 1].isalnum() or UNSPACED.match(text, end - 1) is not None or UNSPACED.match(text, end) is not None


@dataclass(frozen=True, slots=True)
class Known:
    """A known name where it stands. `name` as stated, without an ending of the language around it."""

    name: str
    start: int
    end: int
    agency: bool


class KnownNames:
    """The names and aliases of a registry by their first word, longest first."""

    def __init__(self, registry: Registry) -> None:
        found: dict[str, dict[str, bool]] = defaultdict(dict)
        for number in registry:
            publisher = registry[number]
            for name in (publisher.name, *publisher.aliases):
                if 2 <= len(name) <= MAX_KNOWN:
                    for form in {name, name.upper(), name.translate(PERSIAN)}:
                        key = _key(form, 0)
                        found[key][form] = publisher.kind == "agency" or found[key].get(form, False)
        self._by_first = {key: tuple(sorted(names.items(), key=lambda n: -len(n[0]))) for key, names in found.items()}
        # Unspaced scripts: one expression of their names, since words cannot be told there.
        unspaced = sorted((n for names in found.values() for n in names if UNSPACED.match(n)), key=lambda n: -len(n))
        self._unspaced = re.compile("|".join(map(re.escape, unspaced))) if unspaced else None
        self._never: set[str] = set()

    def at(self, text: str, at: int) -> Known | None:
        """The longest known name that begins here."""
        for name, agency in self._by_first.get(_key(text, at), ()):
            end = at + len(name)
            if text.startswith(name, at) and _ends_word(text, end):
                return Known(name, at, end, agency)
        return None

    def find(self, text: str, start: int, stop: int) -> Iterator[Known]:
        """Known names between two offsets, from left to right, none inside another."""
        part = SPACED if text.isascii() or UNSPACED.search(text, start, stop) is None else PART
        unsure = set(part.findall(text, start, stop)) - self._never
        starts = {word for word in unsure if self._begins(word)}
        if len(self._never) >= REMEMBERED:
            self._never.clear()
        self._never |= unsure - starts
        if not starts:
            return
        done = start
        for at, word in _places(part, text, start, stop, starts):
            if at < done:
                continue
            for found in self._from(text, at, word):
                if done <= found.start and found.end <= stop:
                    yield found
                    done = found.end

    def _begins(self, word: str) -> bool:
        """Whether a name may begin with a word or lie in it."""
        return word in self._by_first or any(the + word in self._by_first for the in THE) or self._may_hold(word)

    def _from(self, text: str, start: int, word: str) -> Iterable[Known]:
        """The names that begin in a word, or with the article before it."""
        if UNSPACED.search(word):
            return self._in_run(text, start, start + len(word))
        before = start - len(THE[0])
        if before >= 0 and text[before:start] in THE and not text[before - 1 : before].isalnum():
            found = self.at(text, before)
            if found is not None:
                return (found,)
        skip = 0 if word in self._by_first else (self._glued(word) or 0)
        found = self.at(text, start + skip) or self._inflected(text, start, word)
        return () if found is None else (found,)

    def _in_run(self, text: str, start: int, stop: int) -> Iterator[Known]:
        """Names in a run of letters of a script without spaces."""
        for run in self._unspaced.finditer(text, start, stop) if self._unspaced is not None else ():
            yield self.at(text, run.start()) or Known(run[0], run.start(), run.end(), agency=False)

    def _may_hold(self, word: str) -> bool:
        """Whether a name may be part of a word: in scripts without spaces, behind a prefix, before an ending."""
        if word[0].islower() or (word.isascii() and len(word) < MIN_INFLECTED):
            return False
        if UNSPACED.search(word):
            return self._unspaced is not None and self._unspaced.search(word) is not None
        return self._glued(word) is not None

    def _glued(self, word: str) -> int | None:
        """How many letters of a word stand before the known word in it; 0 where letters may stand behind it."""
        if prefix := PREFIXED.match(word):
            return prefix.end() if word[prefix.end() :] in self._by_first else None
        return 0 if any(word[:-cut] in self._by_first for cut in range(1, 5) if len(word) - cut >= MIN_STEM) else None

    def _inflected(self, text: str, start: int, word: str) -> Known | None:
        """A name of one word with an ending of the language around it."""
        end = start + len(word)
        for cut in range(1, min(5, len(word) - MIN_STEM + 1)):
            stem = word[:-cut]
            agency = dict(self._by_first.get(stem, ())).get(stem)
            if agency is not None and INFLECTED.match(text, end - cut):
                return Known(stem, start, end - cut, agency)
        return None


def _places(part: re.Pattern[str], text: str, start: int, stop: int, wanted: set[str]) -> list[tuple[int, str]]:
    """Where the words wanted stand, in order. A few words of spaced scripts are each looked for by itself."""
    alone = len(wanted) <= MOST_SOUGHT and part is SPACED and start == 0 and stop == len(text)
    if not alone or any(len(word) >= LONGEST_WORD for word in wanted):
        return [(found.start(), found[0]) for found in part.finditer(text, start, stop) if found[0] in wanted]
    return places(text, wanted)


class NamesIn:
    """The known names of one text, found once and asked for by place. Of a very long text only both ends are looked at."""

    def __init__(self, text: str, known: KnownNames) -> None:
        parts = [(0, len(text))] if len(text) <= 2 * MAX_LOOKED_AT else [(0, MAX_LOOKED_AT), (len(text) - MAX_LOOKED_AT, len(text))]
        self.all = list(islice(chain.from_iterable(known.find(text, *part) for part in parts), MAX_NAMES))
        self._starts = [found.start for found in self.all]

    def between(self, start: int, stop: int) -> Iterator[Known]:
        """The names that lie between two offsets."""
        for number in range(bisect_left(self._starts, start), len(self.all)):
            if self.all[number].end > stop:
                return
            yield self.all[number]

    def first_agency(self, start: int, stop: int) -> Known | None:
        """The first news agency between two offsets."""
        return next((found for found in self.between(start, stop) if found.agency), None)


@functools.lru_cache(maxsize=4)
def known_names(registry: Registry) -> KnownNames:
    """The index of a registry, made once for each."""
    return KnownNames(registry)
