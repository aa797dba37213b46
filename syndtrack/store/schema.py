"""The database's schema, as migrations, and its views for readers.

A published migration is never edited: the next change of the schema is a new one.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from syndtrack.store.tables import ARTICLES, FEEDS, HABITS, MATCHES, VERDICTS

APPLICATION_ID = 0x73796E64  # "synd": tells a database of ours from any other
SCHEMA_VERSION = 3

migrations = Migrations("syndtrack")

VIEWS = {
    # One row a hop: the article at the start, how far back, and who stands there.
    "chain": """
        WITH RECURSIVE hop(article_id, depth, edge_id, copy_id, source_id, source_publisher_id, confidence) AS (
            SELECT e.copy_id, 1, e.id, e.copy_id, e.source_id, e.source_publisher_id, e.confidence
            FROM best_edge b JOIN edge e ON e.id = b.edge_id
            UNION ALL
            SELECT hop.article_id, hop.depth + 1, e.id, e.copy_id, e.source_id, e.source_publisher_id, e.confidence
            FROM hop JOIN best_edge b ON b.copy_id = hop.source_id JOIN edge e ON e.id = b.edge_id
            WHERE hop.depth < 50
        )
        SELECT a.url AS article, hop.depth, c.url AS copy, s.url AS source,
               coalesce(sp.name, up.name) AS source_publisher, hop.source_id IS NOT NULL AS observed, round(hop.confidence, 3) AS confidence
        FROM hop
        JOIN article a ON a.id = hop.article_id
        JOIN article c ON c.id = hop.copy_id
        LEFT JOIN article s ON s.id = hop.source_id
        LEFT JOIN publisher sp ON sp.id = s.publisher_id
        LEFT JOIN publisher up ON up.id = hop.source_publisher_id""",
    "duplicates": """
        SELECT c.url AS copy, cp.name AS copy_publisher, s.url AS source, sp.name AS source_publisher, e.kind,
               round(e.confidence, 3) AS confidence, e.credited, c.first_seen AS copy_first_seen, s.first_seen AS source_first_seen,
               unixepoch(c.first_seen) - unixepoch(s.first_seen) AS lag_seconds, c.title, s.title AS source_title
        FROM edge e
        JOIN article c ON c.id = e.copy_id
        JOIN publisher cp ON cp.id = c.publisher_id
        JOIN article s ON s.id = e.source_id
        JOIN publisher sp ON sp.id = s.publisher_id""",
    "publishers_matrix": """
        SELECT sp.name AS source_publisher, cp.name AS copy_publisher, count(*) AS copies, sum(e.credited) AS credited,
               round(avg(e.confidence), 3) AS confidence
        FROM edge e
        JOIN article c ON c.id = e.copy_id
        JOIN publisher cp ON cp.id = c.publisher_id
        LEFT JOIN article s ON s.id = e.source_id
        JOIN publisher sp ON sp.id = coalesce(s.publisher_id, e.source_publisher_id)
        GROUP BY sp.id, cp.id""",
}

# The likeliest answers of an article that none of them is drawn for: a source, a publisher known by name only, or neither, which is none.
UNDECIDED = """
CREATE TABLE undecided (
    article_id INTEGER NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    source_id INTEGER REFERENCES article(id) ON DELETE CASCADE,
    source_publisher_id INTEGER REFERENCES publisher(id) ON DELETE CASCADE,
    probability REAL NOT NULL,
    PRIMARY KEY (article_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX undecided_source ON undecided(source_id);
CREATE INDEX undecided_source_publisher ON undecided(source_publisher_id);
"""

# The edge that a chain follows: the most confident one of each copy.
BEST_EDGE = """
    SELECT copy_id, edge_id FROM (
        SELECT copy_id, id AS edge_id, row_number() OVER (PARTITION BY copy_id ORDER BY confidence DESC, id) AS place FROM edge
    ) WHERE place = 1"""


@migrations()
def first_tables(db: Database) -> None:
    """Feeds, articles, matches and edges; full-text search; the views for readers."""
    for script in (FEEDS, ARTICLES, MATCHES, VERDICTS):
        _run(db, script)
    db["revision"].enable_fts(["title", "text"], create_triggers=True, tokenize="unicode61 remove_diacritics 2")  # type: ignore[union-attr] # a table, no view
    _index_changed_texts_only(db)
    db.create_view("best_edge", BEST_EDGE)
    for name, query in VIEWS.items():
        db.create_view(name, query)


@migrations()
def habits(db: Database) -> None:
    """What the articles of publishers tell of them. It is counted before tracing, so whatever is stored already is to be traced again."""
    _run(db, HABITS)
    db.conn.execute("UPDATE article SET traced = 0")


@migrations()
def undecided(db: Database) -> None:
    """What was weighed for articles that were left undecided: without it they look like originals. Found by tracing, so again all of it."""
    _run(db, UNDECIDED)
    db.conn.execute("UPDATE article SET traced = 0")


def _run(db: Database, script: str) -> None:
    """The statements of a script, inside the transaction that is open."""
    for statement in script.split(";\n"):
        if statement.strip():
            db.conn.execute(statement)


def _index_changed_texts_only(db: Database) -> None:
    """sqlite-utils' trigger indexes a text anew at every update of its row (0.4 ms); a revision's step changes thrice, its text never."""
    ((made,),) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'revision_au'").fetchall()
    db.conn.execute("DROP TRIGGER revision_au")
    db.conn.execute(made.replace("AFTER UPDATE ON", "AFTER UPDATE OF title, text ON", 1))
