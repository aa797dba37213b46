"""A feed's entries as one poll sees them: which is which, what is new, and what to hand in. Pure; runs in a worker.

What is known already is left out there, so that only what is new travels back to the program.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urljoin

from syndtrack.models import Entry, FeedHints, HubLink, ParsedFeed, Refusal, SeenEntry, Submission
from syndtrack.polling.fetch import Answer, sendable
from syndtrack.polling.fulltext import carries_full_text
from syndtrack.reading.entries import parse_feed
from syndtrack.urls import is_http, shown

MAX_ENTRIES = 500
MAX_KEY = 1_000
MAX_BODY = 2_000_000


@dataclass(frozen=True, slots=True)
class Sorted:
    """A feed's entries, sorted: `ready` need no page (known ones without submission, new ones that carry their text), `to_fetch` do.

    `seen` counts the entries that can be told apart and led to, each once; `keys` are theirs.
    """

    ready: tuple[SeenEntry, ...]
    to_fetch: tuple[tuple[SeenEntry, Entry], ...]
    refused: tuple[Refusal, ...]
    seen: int

    @property
    def keys(self) -> frozenset[str]:
        """What identifies the entries."""
        return frozenset(entry.key for entry in self.ready) | frozenset(entry.key for entry, _ in self.to_fetch)


@dataclass(frozen=True, slots=True)
class ReadFeed:
    """A feed's bytes, read: its title, its hints, its entries sorted, the reasons of what was left out, hubs that push it."""

    title: str | None
    hints: FeedHints
    entries: Sorted
    problems: tuple[str, ...]
    announced: tuple[HubLink, ...] = ()


def read_feed(answer: Answer, known: Mapping[str, str], feed_id: int, at: datetime) -> ReadFeed:
    """Parses the feed that a server answered with at the time `at` and sorts its entries. Raises FeedError for bytes that are no feed."""
    parsed = parse_feed(answer.body, answer.url, answer.content_type)
    entries = sort_entries(parsed.entries, known, feed_id=feed_id, feed_url=answer.url, at=at)
    return ReadFeed(parsed.title, parsed.hints, entries, parsed.problems, announced_hubs(answer, parsed))


def announced_hubs(answer: Answer, parsed: ParsedFeed) -> tuple[HubLink, ...]:
    """The hub and topic that the answer's headers name, else the feed itself (WebSub, section 4); at most one, as one is enough."""
    try:
        hub, topic = (None if stated is None else sendable(urljoin(answer.url, stated)) for stated in (answer.hub, answer.topic))
    except ValueError:
        hub = topic = None
    hub, topic = hub or parsed.hub, topic or parsed.topic
    return (HubLink(hub, topic),) if hub and topic and is_http(hub) and is_http(topic) else ()


def sort_entries(entries: Iterable[Entry], known: Mapping[str, str], *, feed_id: int, feed_url: str, at: datetime) -> Sorted:
    """Sorts entries against what is stored of the feed (`known`: key to hash). At most MAX_ENTRIES, the newest, are looked at."""
    chosen, refused = newest(list(entries), feed_url)
    ready: list[SeenEntry] = []
    to_fetch: list[tuple[SeenEntry, Entry]] = []
    addressed = [(entry, entry_url(entry, feed_url)) for entry in chosen]
    shared = shared_guids(addressed)
    used: set[str] = set()
    for entry, url in addressed:
        if url is None:
            refused.append(Refusal(_name(entry, feed_url), "the entry has no address that can be fetched, and not the whole text"))
            continue
        key = entry_key(entry, url, shared)
        if key in used:
            continue  # the very same entry twice in one feed
        used.add(key)
        stated = entry_hash(entry, url)
        if known.get(key) == stated:
            ready.append(SeenEntry(key, stated, url))
        elif carries_full_text(entry.content, entry.summary):
            ready.append(SeenEntry(key, stated, url, submission(entry, url, entry.content or entry.summary or "", feed_id=feed_id, at=at)))
        else:
            to_fetch.append((SeenEntry(key, stated, url), entry))
    return Sorted(tuple(ready), tuple(to_fetch), tuple(refused), len(used))


def submission(entry: Entry, url: str, html: str, *, feed_id: int, at: datetime) -> Submission:
    """The article of an entry as handed in."""
    return Submission(
        url=url,
        first_seen=at,
        html=html[:MAX_BODY],
        title=entry.title,
        published=entry.published,
        stated=entry.stated,
        feed_id=feed_id,
    )


def newest(entries: list[Entry], feed_url: str) -> tuple[list[Entry], list[Refusal]]:
    """At most MAX_ENTRIES entries, the newest by their stated time (feeds without times put the newest first), and what is left out."""
    if len(entries) <= MAX_ENTRIES:
        return entries, []
    oldest = datetime.min.replace(tzinfo=UTC)
    chosen = sorted(entries, key=lambda entry: entry.published or oldest, reverse=True)[:MAX_ENTRIES]
    return chosen, [Refusal(shown(feed_url), f"has {len(entries)} entries, of which the newest {MAX_ENTRIES} are read")]


def entry_url(entry: Entry, feed_url: str) -> str | None:
    """The entry's address, absolute: its link, else an id that is one, else one made of feed and id if the entry carries its text."""
    for stated in (entry.url, entry.guid):
        if stated and stated.strip():
            if stated is entry.guid and "://" not in stated:
                continue
            try:
                url = sendable_with_fragment(urljoin(feed_url, stated.strip()))
            except ValueError:
                continue
            if is_http(url):
                return url
    if entry.guid and carries_full_text(entry.content, entry.summary):
        # "#!" because a fragment of this form selects the article; others do not.
        return f"{shown(feed_url).partition('#')[0]}#!{quote(entry.guid[:300], safe='')}"
    return None


def sendable_with_fragment(url: str) -> str:
    """An address as it can be sent, its fragment kept where it selects the article (`#!`). Raises ValueError for what is none."""
    exact = sendable(url)
    fragment = url.partition("#")[2]
    return f"{exact}#{quote(fragment, safe='!/?=&:;,.-_~%')}" if fragment.startswith("!") else exact


def shared_guids(addressed: Iterable[tuple[Entry, str | None]]) -> frozenset[str]:
    """The ids that a feed gives to entries of several addresses."""
    urls: dict[str, set[str]] = {}
    for entry, url in addressed:
        if url is not None:
            urls.setdefault((entry.guid or "").strip(), set()).add(url)
    return frozenset(guid for guid, of_guid in urls.items() if len(of_guid) > 1)


def entry_key(entry: Entry, url: str, shared: Set[str]) -> str:
    """What identifies the entry in its feed: its id, else its address; both where the id is one of those that several entries share.

    Of all these, so that a key does not depend on the order in which the feed lists them.
    """
    guid = (entry.guid or "").strip()
    key = url if not guid else f"{guid} {url}" if guid in shared else guid
    return key if len(key) <= MAX_KEY else key[: MAX_KEY - 33] + " " + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]


def entry_hash(entry: Entry, url: str) -> str:
    """A hash of what the entry states: address, title, bodies and time."""
    digest = hashlib.sha256()
    for part in (url, entry.title, entry.content, entry.summary, entry.published.isoformat() if entry.published else None):
        stated = (part or "").encode("utf-8", "replace")
        digest.update(f"{len(stated)}:".encode() + stated)
    return digest.hexdigest()[:32]


def _name(entry: Entry, feed_url: str) -> str:
    stated = entry.url or entry.guid or entry.title or "an entry without link, id and title"
    return f"{' '.join(shown(stated).split())[:200]} in {shown(feed_url)}"
