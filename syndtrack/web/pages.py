"""What each page shows: one function a page, from a store and a query to a record. The API gives the record, the page draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from syndtrack.errors import RefusedError, UsageError
from syndtrack.reports.chain import trace_record
from syndtrack.reports.republished import republished
from syndtrack.reports.verdicts import verdict_records
from syndtrack.store.lookups import Lookups, Row
from syndtrack.store.store import Store
from syndtrack.tracker import explanations
from syndtrack.urls import shown

Record = dict[str, Any]
Query = Mapping[str, str]

MOST_ROWS = 500
MOST_WORDS = 500  # characters of a search
MOST_EXPLAINED = 60  # articles of a story that is traced again while somebody waits: some seconds
MOST_TEXT = 300_000  # characters of all their revisions; 60 articles of 5,000 take 3 s, 10 of 50,000 minutes


class NotFoundError(RefusedError):
    """Nothing is stored under what was asked for."""


def duplicates(lookups: Lookups, query: Query) -> Record:
    """The latest copies with an observed source."""
    return {"counts": lookups.counts(), "duplicates": list(lookups.duplicates(_limit(query, 50)))}


def article(lookups: Lookups, query: Query) -> Record:
    """One article: its chain with the evidence, its copies, credits and removals, its text."""
    url = query.get("url", "").strip()
    if not url:
        raise RefusedError("url", "name the article: ?url=https://…")
    article_id = lookups.article_id(url)
    if article_id is None:
        raise NotFoundError(url, "no such article is stored")
    record: Record = dict(trace_record(lookups, article_id))
    record["text"] = lookups.text(lookups.node(article_id)["revision_id"])
    record["verdicts"] = verdict_records(lookups.verdicts(), [article_id])
    record["history"] = lookups.history.of(article_id)
    return record


def explanation(store: Store, query: Query) -> Record:
    """What was weighed for each hop of an article's chain, where the query asks for it (`explain=1`); nothing otherwise."""
    if query.get("explain") != "1":
        return {}
    article_id = store.lookups.article_id(query.get("url", "").strip())
    if article_id is None:
        raise RefusedError("explain", "no such article is stored")

    def check(story: Sequence[int]) -> None:
        if len(story) > MOST_EXPLAINED or store.lookups.length(story) > MOST_TEXT:
            size = f"more than {MOST_EXPLAINED} articles or {MOST_TEXT:,} characters"
            raise RefusedError("explain", f"its story has {size}: `syndtrack trace URL --explain` explains it on the command line")

    return {"explanation": explanations(store, article_id, check)}


def verdicts(lookups: Lookups, query: Query) -> Record:
    """What persons said of sources, and whether it holds."""
    return {"verdicts": verdict_records(lookups.verdicts())[: _limit(query, MOST_ROWS)]}


def history(lookups: Lookups, query: Query) -> Record:
    """What changed in the sources of an article, or last in those of any."""
    url = query.get("url", "").strip()
    if not url:
        return {"history": lookups.history.latest(_limit(query, 100))}
    article_id = lookups.article_id(url)
    if article_id is None:
        raise NotFoundError(url, "no such article is stored")
    return {"history": lookups.history.of(article_id)}


def feeds(lookups: Lookups, query: Query) -> Record:
    """Subscriptions with their health, and what could not be used lately."""
    refusals = [refusal | {"what": shown(refusal["what"])} for refusal in lookups.refusals(_limit(query, 50))]
    return {"feeds": [_without_secrets(feed) for feed in lookups.feeds()], "refusals": refusals}


def stories(lookups: Lookups, query: Query) -> Record:
    """Stories, the largest first."""
    return {"stories": list(islice(lookups.stories(), _limit(query, 100)))}


def publishers(lookups: Lookups, query: Query) -> Record:
    """Who copies whom; `one_publisher` has the rows of the one that is asked for."""
    if query.get("name", "").strip():
        return {"publishers": []}
    return {"publishers": list(islice(lookups.publishers(), _limit(query, 200)))}


def one_publisher(store: Store, query: Query) -> Record:
    """The publisher that `name` asks for, by any of its names or domains: every copy of its articles, whom it copies and who copies it."""
    name = query.get("name", "")[:MOST_WORDS].strip()
    if not name:
        return {"publisher": None, "republished": []}
    try:
        number = store.directory.find(name)
    except UsageError as error:
        raise NotFoundError(name, str(error)) from error
    most = _limit(query, 200)
    return {
        "publisher": store.directory.publisher(number),
        "republished": list(islice(republished(store, number), most)),
        "publishers": list(islice(store.lookups.publishers(number), most)),
    }


def search(lookups: Lookups, query: Query) -> Record:
    """Articles that hold all words."""
    words = query.get("q", "")[:MOST_WORDS].strip()
    return {"query": words, "found": lookups.search(words, _limit(query, 50))}


def _without_secrets(feed: Row) -> Row:
    """A feed as anybody may see it: its address may hold a login or a token."""
    return feed | {"url": shown(feed["url"])}


def _limit(query: Query, usual: int) -> int:
    """How many rows were asked for."""
    asked = query.get("limit", str(usual))
    if not asked.isdecimal() or len(asked) > len(str(MOST_ROWS)) or not 1 <= int(asked) <= MOST_ROWS:
        raise RefusedError("limit", f"{asked[:20]!r} is not a number from 1 to {MOST_ROWS}")
    return int(asked)


# path below "/" and "/api/v1/" -> template, function
PAGES: dict[str, tuple[str, Callable[[Lookups, Query], Record]]] = {
    "duplicates": ("duplicates.html", duplicates),
    "article": ("article.html", article),
    "stories": ("stories.html", stories),
    "publishers": ("publishers.html", publishers),
    "feeds": ("feeds.html", feeds),
    "verdicts": ("verdicts.html", verdicts),
    "history": ("history.html", history),
    "search": ("search.html", search),
}
