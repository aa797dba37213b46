"""What flows between the stages: plain, frozen records.

All offsets and lengths count Unicode code points of the text they belong to. All times are aware and in UTC.
Shares and confidences lie between 0 and 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

CreditKind = Literal["republication", "wire", "hat-tip", "cited", "media"]
PublisherKind = Literal["agency", "outlet", "aggregator", "blog", "unknown"]
MatchKind = Literal["verbatim", "edited", "excerpt", "shared-passage"]
EdgeKind = Literal["verbatim", "edited", "excerpt", "multi-source"]
VerdictKind = Literal["confirm", "reject", "origin"]
# A failure may pass within the hour (a server that asks to wait), in hours (an error of the server, the network), or has to be mended.
FailureGrade = Literal["temporary", "soft", "hard"]
PublisherDates = Literal["", "prompt", "slow", "off"]
EvidenceKind = Literal["overlap", "innovation", "credit", "wire", "link", "canonical", "feed-source", "time"]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes. `aliases` are names as credits state them, `domains` registrable domains or hosts in lower case.

    `dates`: what its articles' claimed times are like, by observation; `polled`: whether its articles are observed as a rule.
    """

    name: str
    kind: PublisherKind = "unknown"
    aliases: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    owner: str | None = None
    dates: PublisherDates = ""
    polled: bool = False


@dataclass(frozen=True, slots=True)
class Credit:
    """A stated source.

    From the text it has `start` and `end` in the article's text, and `text` is exactly what stands there. From structure (a link
    element, JSON-LD, a feed's field) `field` names where it was found and both offsets are None.
    `name` is the publisher's name as stated (not resolved), None where only an address is given or nobody is named.
    """

    kind: CreditKind
    text: str
    name: str | None = None
    url: str | None = None
    start: int | None = None
    end: int | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """A span that cleaning cut from the text for matching, and the name of the rule. Removals of a text are in order and never overlap."""

    rule: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Link:
    """A hyperlink inside the article's body: absolute address and anchor text."""

    url: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed, as the feed states it. `content` is the fullest body it gives, HTML or text, `summary` the shorter one."""

    url: str | None
    guid: str | None
    title: str | None
    published: datetime | None
    summary: str | None = None
    content: str | None = None
    author: str | None = None
    stated: tuple[Credit, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedHints:
    """What a feed says about when to come back.

    `ttl` in minutes, hours (0-23, GMT) and weekdays ("Monday") to skip, `update_seconds`: sy:updatePeriod over its frequency.
    """

    ttl: int | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[str] = frozenset()
    update_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class HubLink:
    """Where a feed says that what is new in it is pushed (WebSub): the hub's address, and the topic that it knows the feed by."""

    hub: str
    topic: str


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed's bytes, understood. `problems` are the reasons of what was left out (an entry without link or id, a date nobody can read).

    `hub` and `topic` are the addresses of its links `rel=hub` and `rel=self`.
    """

    title: str | None
    link: str | None
    entries: tuple[Entry, ...]
    hints: FeedHints = FeedHints()
    problems: tuple[str, ...] = ()
    hub: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A subscription with its schedule and HTTP validators, as stored.

    `interval` is in seconds; the validators are byte for byte what the server sent (Latin-1), and `validators_of` the address that
    sent them where a redirect led to another than the feed's own. `hints` are those of the last look that got the feed's body.
    """

    id: int
    url: str
    title: str | None = None
    publisher_id: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    interval: int | None = None
    next_check: datetime | None = None
    last_polled: datetime | None = None
    last_full_fetch: datetime | None = None
    failures: int = 0
    gone: int = 0
    moved_to: str | None = None
    moved_times: int = 0
    asked_to_wait_until: datetime | None = None
    validators_of: str | None = None
    hints: FeedHints = FeedHints()


@dataclass(frozen=True, slots=True)
class Subscription:
    """What was agreed with a feed's hub (WebSub), or is to be.

    `token` makes the callback's address unguessable, `secret` signs what is pushed. `tries` counts the requests since the hub last
    confirmed one, `next_try` is when it is asked for the next time. `lease_until`: the hub confirmed that it pushes until then.
    `pushing`: the last thing heard of the feed came as a push and not by a look. `interval` is the feed's from before it did.
    """

    feed_id: int
    hub: str
    topic: str
    token: str = field(repr=False)
    secret: str = field(repr=False)
    wants: Literal["subscribe", "unsubscribe"] = "subscribe"
    asked: datetime | None = None
    next_try: datetime | None = None
    tries: int = 0
    lease_until: datetime | None = None
    pushing: bool = False
    interval: int | None = None
    last_push: datetime | None = None
    pushes: int = 0
    ignored: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One article as handed in by a feed or an archive, before anything was read from it. One of `text` and `html` is given.

    `publisher` is a name or domain as stated; None leaves it to the address. `feed_id` is the feed it came by, `stated` what that feed's
    entry says of its source. `origin` is where an archive has it (FILE:LINE), by which a refusal names it.
    """

    url: str
    first_seen: datetime
    text: str | None = None
    html: str | None = None
    title: str | None = None
    publisher: str | None = None
    published: datetime | None = None
    stated: tuple[Credit, ...] = ()
    feed_id: int | None = None
    origin: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """An entry as one poll saw it. `key` identifies it within its feed (guid, else address), `entry_hash` its stated content.

    `submission` is the article to read; None where the same key and hash were stored by an earlier poll, or where the article's page
    could not be had: then `refused` says whether that counts as a try. An empty `entry_hash` asks for another look.
    """

    key: str
    entry_hash: str
    url: str
    submission: Submission | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An input that could not be used: which, and why in one line. `partly`: the rest of it was taken, so that this is a remark."""

    what: str
    reason: str
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """Bytes from outside that a worker is to read: what they are, their address (without secrets), the feed that led to them."""

    kind: Literal["feed", "page", "robots.txt"]
    url: str
    content: bytes = field(repr=False)
    feed_id: int | None = None
    content_hash: str = field(init=False)

    def __post_init__(self) -> None:
        """128 bits name the bytes."""
        object.__setattr__(self, "content_hash", hashlib.blake2b(self.content, digest_size=16).hexdigest())


@dataclass(frozen=True, slots=True)
class Poison:
    """An input that killed, stalled or overfilled the worker that read it: why, and how often it did."""

    given: Input
    reason: str
    tries: int

    @property
    def url(self) -> str:
        """Where it came from."""
        return self.given.url

    @property
    def content_hash(self) -> str:
        """What names its bytes."""
        return self.given.content_hash


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one poll of one feed brought: to be stored in one transaction.

    `feed` is the feed with its new validators, schedule and counters. `why` says in one sentence why the next check is when it is.
    `grade` is how bad a failure is, None where there was none. `gap`: the look shares no entry with those before it, so that some entries
    may have come and gone unseen. `announced` are the hubs that the feed names, None where the look does not tell. `pushed`: what came was
    sent by the feed's hub, without a look.
    """

    feed: Feed
    at: datetime
    outcome: Literal["new", "nothing new", "not modified", "failed", "gone", "waiting"]
    status: int | None
    why: str
    reason: str | None = None
    entries: tuple[SeenEntry, ...] = ()
    refused: tuple[Refusal, ...] = ()
    received_bytes: int = 0
    grade: FailureGrade | None = None
    gap: bool = False
    announced: tuple[HubLink, ...] | None = None
    pushed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What an article says of itself: its text with paragraphs parted by newlines, and the sources that its structure states.

    `canonical` is the page's own claim of its address, `links` the links inside the body in order. `beside` are lines that stand next
    to the running text and may hold credits: pairs of where ("byline", "caption") and the line.
    """

    title: str
    text: str
    published: datetime | None
    canonical: str | None = None
    links: tuple[Link, ...] = ()
    stated: tuple[Credit, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AlignedSpan:
    """A passage that stands in both texts, small edits allowed, by its place in either original text."""

    a_start: int
    a_end: int
    b_start: int
    b_end: int


@dataclass(frozen=True, slots=True)
class Match:
    """A verified pair of texts a and b.

    `resemblance` is the Jaccard similarity of their shingle sets, `a_in_b` the share of a's shingles that stand in b.
    """

    resemblance: float
    a_in_b: float
    b_in_a: float
    shared_words: int
    kind: MatchKind
    spans: tuple[AlignedSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedCredit:
    """A credit with the publisher its name or address stands for; None where it stays unresolved."""

    credit: Credit
    publisher_id: int | None


@dataclass(frozen=True, slots=True)
class Version:
    """An article as tracing looks at it: one member of a story.

    `texts` are its revisions' texts, newest first, `removals` and `credits` those of the newest. `links` are the ids of articles of the
    same story that its body links to, `canonical_of` the id of the one its canonical address names. `habits`: the publishers that its
    publisher names as its sources as a rule, with how firm a habit that is.
    """

    article_id: int
    publisher_id: int
    owner: str | None
    is_agency: bool
    url: str
    title: str
    first_seen: datetime
    published: datetime | None
    texts: tuple[str, ...]
    removals: tuple[Removal, ...]
    credits: tuple[ResolvedCredit, ...]
    links: frozenset[int] = frozenset()
    canonical_of: int | None = None
    habits: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for an edge, with the words that a person can check. `start` and `end` lie in the copy's text; None where it is no span.

    `weight` is what the reason adds to the log-odds of the edge.
    """

    kind: EvidenceKind
    text: str
    weight: float
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """`copy` derives from `source` (article ids), or from an article of `source_publisher` that was not observed (`source` is None).

    `credited`: the copy names this source. `credited_to`: the publisher it names where that is somebody else. `verdict`: a person said so.
    """

    copy: int
    source: int | None
    source_publisher: int | None
    kind: EdgeKind
    confidence: float
    credited: bool
    credited_to: int | None
    evidence: tuple[Evidence, ...] = ()
    verdict: Literal["confirmed"] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's word on where an article comes from, by address, whether or not the articles are stored.

    `source` is the address of an article or the name of a publisher; None where `says` is "origin": the article derives from nothing.
    """

    copy: str
    source: str | None
    says: VerdictKind
    at: datetime
    by: str = ""
    note: str = ""


def kept_text(text: str, removals: Sequence[Removal]) -> str:
    """The text without its removals; what matching looks at. Kept and removed spans together are the whole text."""
    parts, at = [], 0
    for removal in removals:
        parts.append(text[at : removal.start])
        at = removal.end
    parts.append(text[at:])
    return "".join(parts)
