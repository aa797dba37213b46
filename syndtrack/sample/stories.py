"""The texts of the sample newsroom, read from its folder.

    publishers.toml        who publishes, how their feeds and pages look
    stories/*.toml         one story a file: articles that share an event or a text
    ordinary/*.toml        everyday articles nobody copies, one publisher a file

An article either has a `text` (paragraphs parted by blank lines; line breaks inside a paragraph are spaces) or is made of other articles:

    [[article.from]]
    article = "key"                          its first revision's paragraphs, counted from 1 ...
    keep = [1, 2, 5]  or  drop = [3]         ... of which these stay,
    replace = [["old words", "new words"]]   with these words changed (each must stand there),
    insert = [{ after = 2, text = "..." }]   and these lines put in after a paragraph of that number (0: before all)

`[[article.revision]]` with `minute` and the same operations on the text before it is a later, silent correction. `[[article.edge]]` records
the truth: `source` (an article) or `source_publisher` (a name nobody observes here), `kind`, `credited`, and `credited_to` where the copy
names somebody else. A copy is an `excerpt` where it keeps less than half of its source, `edited` where it keeps more but not all. Copies of
an unobserved text, whose extent nobody knows, are called `verbatim`. A story without edges holds articles of one event that are no copies
of each other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from syndtrack.errors import RefusedError, UsageError
from syndtrack.models import EdgeKind, PublisherKind

ROUND = 60
"""Newsroom minutes of one round."""

Paragraphs = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SamplePublisher:
    """An invented publisher: who it is, what its feed carries, and the furniture of its pages.

    `path` is a pattern with {slug} and {number}. `boxes` are the furniture's wordings by place: cookies, newsletter, share, related,
    most_read, footer, inline (a line between two paragraphs that leads to another article), feed_end (the last line of a feed's full text).
    """

    key: str
    name: str
    kind: PublisherKind
    language: str
    tagline: str
    template: str
    path: str
    feed: Literal["rss", "atom"]
    feed_path: str
    full_text: bool
    encoding: str
    menu: tuple[str, ...]
    boxes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SampleRevision:
    """A text of an article from a newsroom minute on."""

    minute: int
    paragraphs: Paragraphs


@dataclass(frozen=True, slots=True)
class TrueEdge:
    """Who copied whom, by article keys; `source_publisher` is the name of an agency or site that is not part of the newsroom."""

    copy: str
    source: str | None
    source_publisher: str | None
    kind: EdgeKind
    credited: bool
    credited_to: str | None


@dataclass(frozen=True, slots=True)
class SampleArticle:
    """An article of the newsroom. `publisher` is a publisher's key, `revisions` are in order of time, the first from `minute` on."""

    key: str
    story: str
    publisher: str
    headline: str
    author: str | None
    language: str
    section: str
    summary: str
    caption: str | None
    minute: int
    revisions: tuple[SampleRevision, ...]
    edges: tuple[TrueEdge, ...]

    def revision_at(self, minute: float) -> SampleRevision:
        """The revision that stands at a newsroom minute; the first one if the article is not out yet."""
        return next((r for r in reversed(self.revisions) if r.minute <= minute), self.revisions[0])


@dataclass(frozen=True, slots=True)
class Sample:
    """The newsroom's publishers and articles; articles in order of time."""

    publishers: tuple[SamplePublisher, ...]
    articles: tuple[SampleArticle, ...]

    @property
    def edges(self) -> tuple[TrueEdge, ...]:
        """The truth: every edge of every copy."""
        return tuple(edge for article in self.articles for edge in article.edges)

    @property
    def rounds(self) -> int:
        """How many rounds it takes until everything is out and corrected."""
        return -(-max(r.minute for a in self.articles for r in a.revisions) // ROUND)

    def article(self, key: str) -> SampleArticle:
        """The article of that key."""
        return next(a for a in self.articles if a.key == key)


def load_sample(folder: Path) -> Sample:
    """Read the newsroom's folder.

    Raises UsageError where the folder holds no newsroom, RefusedError (naming file and article) where a file cannot be used.
    """
    if not (folder / "publishers.toml").is_file():
        raise UsageError(f"{folder}: no sample newsroom there (publishers.toml is missing)")
    publishers = tuple(_publisher(folder, table) for table in _tables(folder / "publishers.toml", "publisher"))
    files = sorted([*folder.glob("stories/*.toml"), *folder.glob("ordinary/*.toml")])
    tables = [(file, table) for file in files for table in _tables(file, "article")]
    writer = _Writer({str(table["key"]): (file, table) for file, table in tables}, {p.key: p for p in publishers})
    if len(writer.tables) < len(tables):
        raise RefusedError(str(folder), "two articles have the same key")
    articles = (writer.article(key) for key in writer.tables)
    return Sample(publishers, tuple(sorted(articles, key=lambda a: (a.minute, a.key))))


def _tables(file: Path, name: str) -> list[dict[str, Any]]:
    try:
        tables: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))[name]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as error:
        raise RefusedError(str(file), f"not a list of [[{name}]] tables: {error}") from error
    return [{**table, "publisher": table.get("publisher", file.stem)} for table in tables]


def _publisher(folder: Path, table: Mapping[str, Any]) -> SamplePublisher:
    try:
        return SamplePublisher(
            key=table["key"],
            name=table["name"],
            kind=table["kind"],
            language=table["language"],
            tagline=table["tagline"],
            template=table["template"],
            path=table["path"],
            feed=table["feed"],
            feed_path=table["feed_path"],
            full_text=table["full_text"],
            encoding=table.get("encoding", "utf-8"),
            menu=tuple(table["menu"]),
            boxes=dict(table["boxes"]),
        )
    except KeyError as error:
        raise RefusedError(f"{folder / 'publishers.toml'}, {table.get('key')}", f"{error} is missing") from error


def paragraphs_of(text: str) -> Paragraphs:
    """The paragraphs of a text whose paragraphs are parted by blank lines."""
    return tuple(" ".join(part.split()) for part in text.strip().split("\n\n") if part.strip())


class _Writer:
    """Puts every article's text together from the tables, whichever file the others stand in."""

    def __init__(self, tables: Mapping[str, tuple[Path, dict[str, Any]]], publishers: Mapping[str, SamplePublisher]) -> None:
        self.tables = tables
        self._publishers = publishers
        self._written: dict[str, Paragraphs] = {}
        self._under_way: set[str] = set()

    def article(self, key: str) -> SampleArticle:
        file, table = self.tables[key]
        try:
            publisher = self._publishers[table["publisher"]]
            text = self.text(key)
            return SampleArticle(
                key=key,
                story=file.stem,
                publisher=publisher.key,
                headline=table["headline"],
                author=table.get("author"),
                language=table.get("language", publisher.language),
                section=table.get("section", publisher.menu[0]),
                summary=table.get("summary") or _shortened(text[0]),
                caption=table.get("caption"),
                minute=table["minute"],
                revisions=self._revisions(table, text),
                edges=tuple(_edge(key, edge) for edge in table.get("edge", ())),
            )
        except (KeyError, ValueError, IndexError) as error:
            raise RefusedError(f"{file}, article {key}", str(error)) from error

    def text(self, key: str) -> Paragraphs:
        """The first revision of an article."""
        if key in self._under_way:
            raise ValueError(f"{key} is made of itself")
        if key not in self._written:
            self._under_way.add(key)
            _, table = self.tables[key]
            parts = table.get("from", ())
            made = tuple(p for part in parts for p in _edited(self.text(part["article"]), part))
            self._written[key] = made + paragraphs_of(table.get("text", ""))
            self._under_way.remove(key)
        return self._written[key]

    def _revisions(self, table: Mapping[str, Any], text: Paragraphs) -> tuple[SampleRevision, ...]:
        revisions = [SampleRevision(table["minute"], text)]
        for change in table.get("revision", ()):
            revisions.append(SampleRevision(change["minute"], _edited(revisions[-1].paragraphs, change)))
        return tuple(revisions)


def _edited(paragraphs: Paragraphs, change: Mapping[str, Any]) -> Paragraphs:
    """The paragraphs after one table's keep or drop, replace and insert; all count the paragraphs of the unedited text."""
    numbers = range(1, len(paragraphs) + 1)
    kept = _checked(change.get("keep", [n for n in numbers if n not in change.get("drop", ())]), numbers)
    _checked(change.get("drop", ()), numbers)
    texts = dict(zip(numbers, paragraphs, strict=True))
    for old, new in change.get("replace", ()):
        if not any(old in texts[n] for n in kept):
            raise ValueError(f"{old!r} is to be replaced and stands nowhere")
        texts = {n: text.replace(old, new) for n, text in texts.items()}
    inserts = change.get("insert", ())
    _checked([i["after"] for i in inserts], range(len(paragraphs) + 1))
    made: list[str] = []
    for n in (0, *numbers):
        made += [texts[n]] if n in kept else []
        made += [p for i in inserts if i["after"] == n for p in paragraphs_of(i["text"])]
    return tuple(made)


def _checked(numbers: Sequence[int], allowed: Iterable[int]) -> Sequence[int]:
    if wrong := set(numbers) - set(allowed):
        raise ValueError(f"there is no paragraph {min(wrong)}")
    return numbers


def _edge(copy: str, table: Mapping[str, Any]) -> TrueEdge:
    source, name = table.get("source"), table.get("source_publisher")
    if (source is None) == (name is None):
        raise ValueError("an edge has either a source or a source_publisher")
    return TrueEdge(copy, source, name, table["kind"], table["credited"], table.get("credited_to"))


def _shortened(paragraph: str, limit: int = 220) -> str:
    return paragraph if len(paragraph) <= limit else paragraph[:limit].rsplit(" ", 1)[0] + " …"
