"""Feeds or pages broken at random, read in workers that can be killed: what crashes, hangs or eats memory. Run by scripts/fuzz.

A mutant is made in the worker from its number and the seed alone, so that any can be had again: `--only NUMBER` prints it.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from syndtrack.errors import FeedError, RefusedError
from syndtrack.flow import read_article
from syndtrack.models import Refusal, Submission
from syndtrack.polling import workers as worker_processes
from syndtrack.polling.workers import Workers
from syndtrack.reading.charset import decode
from syndtrack.reading.entries import parse_feed

HERE = "https://feeds.example/feed.xml"
THEN = datetime(2026, 3, 2, tzinfo=UTC)
BATCH = {"feeds": 100, "pages": 10}  # mutants a task: handing one over takes as long as reading a small feed
SECONDS = 10.0  # of computing, for one mutant
LARGEST = 3_000_000  # bytes
TOKENS = tuple(
    part.encode()
    for part in (
        *("<", ">", "</", "<![CDATA[", "]]>", "<!--", "-->", "<?", "?>", "<!DOCTYPE x [", "<!ENTITY a 'b'>", "&a;", "&", "&#0;"),
        *("&#x110000;", "<unclosed", "a='", "</rss>", "</feed>"),
        *("&#xd800;", "&#99999999999;", "<item>", "</item>", "<entry>", "<title>", "<svg>", "<div>", "<unknown>", "<source url='x'>"),
        *("<image>", "<content type='xhtml'>", "<textInput>", "xml:base='http://[x'", "xmlns='", "xmlns:a='b'", "href='//['"),
        *("\x00", "\ufeff", "\u202e"),
        *("<script>", "<!--[if", "<table><tr><td>", "<p>", "</p>", "<b><i>", "<meta charset=utf-16>", "<base href='//['>", "<select>"),
        *("<script type='application/ld+json'>", "[[", '{"@type":', "(", "via ", "(AP) — ", "Source: ", "“", "\u0301", "<math><mi>"),
        *("<a href='", "<frameset>"),
        *("{", "}", "[", '"', "\\ud800", "null", "1e999", "99999999999999999999", "0000-00-00T99:99:99+99:99", "ada@a.a.a.a.a"),
    )
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "koi8-r", "shift_jis", "gb18030", "utf-7", "cp037")

Chance = random.Random


def _flip(body: bytearray, chance: Chance, _: Callable[[], bytes]) -> bytes:
    for _n in range(chance.choice((1, 3, 30))):
        if body:
            body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    return bytes(body)


def _splice(body: bytearray, chance: Chance, other: Callable[[], bytes]) -> bytes:
    donor = other()
    start = chance.randrange(len(donor) + 1)
    at = chance.randrange(len(body) + 1)
    return bytes(body[:at] + donor[start : start + chance.choice((20, 500, 20_000))] + body[at + chance.choice((0, 10, 500)) :])


def _cut(body: bytearray, chance: Chance, _: Callable[[], bytes]) -> bytes:
    at = chance.randrange(len(body) + 1)
    return bytes(body[:at]) if chance.random() < 0.5 else bytes(body[:at] + body[at + chance.choice((1, 5, 100, 5_000)) :])


def _repeat(body: bytearray, chance: Chance, _: Callable[[], bytes]) -> bytes:
    start = chance.randrange(len(body) + 1)
    piece = body[start : start + chance.choice((1, 8, 60, 1_000))]
    return bytes(body[:start] + piece * chance.choice((2, 50, 3_000)) + body[start:])[:LARGEST]


def _insert(body: bytearray, chance: Chance, _: Callable[[], bytes]) -> bytes:
    for _n in range(chance.choice((1, 2, 10))):
        at = chance.randrange(len(body) + 1)
        body[at:at] = chance.choice(TOKENS) * chance.choice((1, 1, 2, 200))
    return bytes(body)


def _recode(body: bytearray, chance: Chance, _: Callable[[], bytes]) -> bytes:
    text = body.decode(chance.choice(("utf-8", "cp1252")), "replace")
    return text.encode(chance.choice(ENCODINGS), "replace")


MUTATIONS = (_flip, _splice, _cut, _repeat, _insert, _recode)


@lru_cache(maxsize=64)
def _content(path: Path) -> bytes:
    return path.read_bytes()[:LARGEST]


def mutant(paths: Sequence[Path], seed: int, number: int) -> bytes:
    """The mutant of that number: a file, changed in one to three ways."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - no secret
    body = _content(chance.choice(paths))
    for _ in range(chance.choice((1, 1, 2, 3))):
        body = chance.choice(MUTATIONS)(bytearray(body), chance, lambda: _content(chance.choice(paths)))[:LARGEST]
    return body


def read(body: bytes, kind: str) -> str:
    """What comes of a mutant."""
    try:
        if kind == "feeds":
            parse_feed(body, HERE)
        elif isinstance(read_article(Submission(HERE, THEN, html=decode(body, "text/html"))), Refusal):
            return "refused"
    except FeedError:
        return "refused"
    except Exception as error:  # what the fuzzing is there to find
        return f"CRASH {type(error).__name__}: {error}"[:200]
    return "read"


def read_mutants(paths: Sequence[Path], kind: str, seed: int, numbers: Sequence[int]) -> list[tuple[int, str, float, int]]:
    """In a worker: of each mutant its number, what came of it ("read", "refused", "CRASH …"), seconds of CPU, the worker's peak in KB."""
    found = []
    for number in numbers:
        body = mutant(paths, seed, number)
        started = time.process_time()
        outcome = read(body, kind)
        found.append((number, outcome, time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
    return found


async def fuzz(paths: Sequence[Path], kind: str, numbers: range, seed: int, at_once: int) -> bool:
    """Read so many mutants and print what came of them; whether there was no crash."""
    counts: Counter[str] = Counter()
    slowest: list[tuple[float, int]] = []
    peak = 0.0
    left = iter(numbers)
    started = time.monotonic()
    worker_processes.WALL_FACTOR = 100  # a machine that does other things meanwhile is no finding
    async with Workers(at_once, warm=("syndtrack.warm", "fuzz_feeds"), tasks_per_worker=100_000) as workers:

        async def read(batch: list[int]) -> None:
            nonlocal peak
            try:
                deadline = SECONDS if len(batch) == 1 else 3 * SECONDS
                found = await workers.run(_imported(), paths, kind, seed, batch, what=f"mutants {batch[0]}-{batch[-1]}", deadline=deadline)
            except RefusedError as error:
                if len(batch) > 1:  # one of them: each alone
                    for number in batch:
                        await read([number])
                    return
                found = [(batch[0], f"KILLED {error.reason}", SECONDS, 0)]
            for number, outcome, seconds, kilobytes in found:
                counts[outcome.split()[0]] += 1
                peak = max(peak, kilobytes * 1_024 / 1_000_000)
                (heapq.heappush if len(slowest) < 5 else heapq.heappushpop)(slowest, (seconds, number))
                if outcome not in ("read", "refused") or seconds > SECONDS:
                    print(f"mutant {number}: {outcome}, {seconds:.1f} s", flush=True)

        async def turn() -> None:
            while batch := [n for _, n in zip(range(BATCH[kind]), left, strict=False)]:
                await read(batch)
                if batch[-1] % 5_000 < len(batch):
                    print(f"… {sum(counts.values())} of {len(numbers)} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)

        await asyncio.gather(*(turn() for _ in range(at_once)))
    told = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    longest = ", ".join(f"{seconds:.1f} s (mutant {number})" for seconds, number in sorted(slowest, reverse=True))
    what = f"{sum(counts.values())} mutants of {len(paths)} {kind}, seed {seed} from {numbers.start}"
    print(f"{what}: {told}; slowest {longest}; peak {peak:.0f} MB")
    return not counts["CRASH"]


def _imported() -> Callable[..., list[tuple[int, str, float, int]]]:
    """The function under the name by which workers import it, which is not that of the program's main module."""
    import fuzz_feeds  # noqa: PLC0415 - this file

    return fuzz_feeds.read_mutants


def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser(prog="fuzz", description="Break the feeds or pages of a folder at random and read them.")
    options.add_argument("folder", type=Path)
    options.add_argument("--pages", action="store_const", const="pages", default="feeds", dest="kind", help="the files are article pages")
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--first", type=int, default=0, help="the number of the first mutant, to go on with a run")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--only", type=int, help="write this mutant to standard output and end")
    given = options.parse_args()
    paths = sorted(p for p in given.folder.rglob("*") if p.is_file() and not p.is_symlink())
    if not paths:
        options.error(f"no files in {given.folder}")
    if given.only is not None:
        sys.stdout.buffer.write(mutant(paths, given.seed, given.only))
        return 0
    return 0 if asyncio.run(fuzz(paths, given.kind, range(given.first, given.first + given.count), given.seed, given.workers)) else 1


if __name__ == "__main__":
    sys.exit(main())
