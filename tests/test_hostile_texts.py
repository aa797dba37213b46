"""Texts made to hurt, as large as they may be: what is done with them outside the workers, where they would hold up everything else.

Each step is run in a worker here, with 4 s of computing; without bounds some of these took 5 to 12.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from syndtrack.matching.fingerprint import fingerprint
from syndtrack.models import Credit
from syndtrack.polling.workers import MEMORY_BYTES, Workers
from syndtrack.publishers import fold
from syndtrack.reading.cleaning import clean
from syndtrack.reading.furniture import line_keys
from syndtrack.reading.pages import MAX_SIZE
from syndtrack.reading.removal_rules import raw_rules
from syndtrack.words import folded_words, tokenise

MARKS = "\u0301\u0316"  # above and below a letter: in order, the one below comes first
FURNITURE = frozenset({1})
SECONDS = 4.0
MEMORY = 2 * MEMORY_BYTES  # time is what is looked at: one worker takes many of these texts, and each is handed over as a copy


def repeated(unit: str) -> str:
    return (unit * (MAX_SIZE // len(unit) + 1))[:MAX_SIZE]


def numbered(unit: str) -> str:
    """Lines or words that are all different."""
    return "".join(f"{n:x}{unit}" for n in range(MAX_SIZE // (len(unit) + 5)))


def cues() -> str:
    """Lines of the words that rules look for, of all languages."""
    words = [word for kind, table in raw_rules() if kind == "cue" for word in table["cues"]]
    return "\n".join(f"Videos {' '.join(words[n % 60 : n % 60 + 40])[:240]} {n}" for n in range(MAX_SIZE // 250))


TEXTS: dict[str, Callable[[], str]] = {
    "lines of one letter": lambda: repeated("x\n"),
    "lines of two ideographs, all different": lambda: "\n".join(
        chr(0x4E00 + n % 20_000) + chr(0x4E00 + n // 20_000) for n in range(MAX_SIZE // 3)
    ),
    "blank lines": lambda: repeated(" \n"),
    "lines of marks out of order": lambda: numbered(MARKS * 120 + "\n"),
    "words of marks out of order": lambda: numbered(MARKS * 29 + "\n"),
    "lines of characters that stand for 18": lambda: repeated("\ufdfa" * 249 + "\n"),
    "words of characters that stand for 18": lambda: numbered("\ufdfa" * 59 + "\n"),
    "quotations of one letter": lambda: repeated("“a”"),
    "empty quotations, then a word": lambda: "“”" * 900_000 + "a",
    "cues of all languages": cues,
    "labels, brackets, datelines": lambda: repeated(f"READ ALSO\nread more{' >' * 120}\n{'([{' * 80}\nLONDON (AP) — The council met.\n"),
}


def many_credits(text: str) -> tuple[Credit, ...]:
    """As many as an article may have, over all of a text."""
    step = len(text) // 200
    return tuple(Credit("media", "x", start=at, end=at + step // 2) for at in range(0, step * 200, step))


async def test_what_is_done_outside_the_workers_takes_bounded_time_for_texts_of_any_kind():
    async def prepare(workers: Workers, name: str) -> None:
        text = TEXTS[name]()
        await workers.run(line_keys, text, what=f"lines counted: {name}", deadline=SECONDS)
        cut = await workers.run(clean, text, many_credits(text), FURNITURE, what=f"cleaned: {name}", deadline=SECONDS)
        words = await workers.run(tokenise, text, cut, what=f"words: {name}", deadline=SECONDS)
        await workers.run(fingerprint, words, what=f"fingerprint: {name}", deadline=SECONDS)

    async with Workers(2, warm=("syndtrack.flow",), memory_bytes=MEMORY) as workers:
        await workers.run(fingerprint, tokenise("warm " * 40), what="tables made once")
        await asyncio.gather(*(prepare(workers, name) for name in TEXTS))


async def test_names_and_headlines_of_any_length_are_folded_in_bounded_time():
    marks = "e" + repeated(MARKS)
    async with Workers(1, warm=("syndtrack.flow",), memory_bytes=MEMORY) as workers:
        assert len(await workers.run(fold, marks, what="a name", deadline=SECONDS)) == 1
        assert len(await workers.run(folded_words, marks, what="a headline", deadline=SECONDS)) == 1
