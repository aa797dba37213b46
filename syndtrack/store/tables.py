"""The tables, in the project's words; every one opens in Datasette and `sqlite-utils` as it is.

Times are TEXT in RFC 3339, UTC, whole seconds, so that they sort. Spans count code points.
"""

from __future__ import annotations

FEEDS = """
CREATE TABLE publisher (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('agency', 'outlet', 'aggregator', 'blog', 'unknown')),
    owner TEXT,
    house TEXT,
    known_from TEXT NOT NULL CHECK (known_from IN ('seed', 'statement', 'address', 'credit', 'person')),
    lines_changed INTEGER NOT NULL DEFAULT 0 CHECK (lines_changed IN (0, 1)),
    merged INTEGER NOT NULL DEFAULT 0 CHECK (merged IN (0, 1))
) STRICT;
CREATE INDEX publisher_lines_changed ON publisher(id) WHERE lines_changed = 1;
CREATE INDEX publisher_merged ON publisher(id) WHERE merged = 1;
CREATE TABLE publisher_alias (
    publisher_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    alias TEXT NOT NULL,
    PRIMARY KEY (publisher_id, alias)
) STRICT;
CREATE TABLE publisher_domain (
    domain TEXT PRIMARY KEY,
    publisher_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    unnamed INTEGER NOT NULL DEFAULT 0 CHECK (unnamed IN (0, 1))
) STRICT;
CREATE INDEX publisher_domain_publisher ON publisher_domain(publisher_id);
CREATE TABLE publisher_owner (
    publisher_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    known_from TEXT NOT NULL CHECK (known_from IN ('person', 'seed', 'trust.txt', 'behaviour')),
    owner TEXT,
    reason TEXT NOT NULL,
    PRIMARY KEY (publisher_id, known_from)
) STRICT, WITHOUT ROWID;
CREATE TABLE publisher_decision (
    id INTEGER PRIMARY KEY,
    publisher_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('merge', 'name', 'owner', 'kind')),
    value TEXT,
    was TEXT
) STRICT;
CREATE INDEX publisher_decision_publisher ON publisher_decision(publisher_id);
CREATE TABLE stale (
    what TEXT PRIMARY KEY CHECK (what IN ('houses'))
) STRICT, WITHOUT ROWID;
CREATE TABLE trust_txt (
    domain TEXT PRIMARY KEY,
    asked TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('found', 'absent', 'failed')),
    url TEXT,
    reason TEXT
) STRICT;
CREATE TABLE trust_statement (
    domain TEXT NOT NULL REFERENCES trust_txt(domain) ON DELETE CASCADE,
    attribute TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (domain, attribute, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    title TEXT,
    publisher_id INTEGER REFERENCES publisher(id),
    added TEXT NOT NULL,
    etag TEXT,
    last_modified TEXT,
    body_hash TEXT,
    interval INTEGER,
    next_check TEXT,
    last_polled TEXT,
    last_full_fetch TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    gone INTEGER NOT NULL DEFAULT 0,
    moved_to TEXT,
    moved_times INTEGER NOT NULL DEFAULT 0,
    asked_to_wait_until TEXT,
    validators_of TEXT,
    hints TEXT
) STRICT;
CREATE INDEX feed_next_check ON feed(next_check);
CREATE TABLE poll (
    id INTEGER PRIMARY KEY,
    feed_id INTEGER NOT NULL REFERENCES feed(id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    outcome TEXT NOT NULL,
    status INTEGER,
    entries INTEGER NOT NULL,
    new_entries INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    reason TEXT,
    why TEXT NOT NULL,
    grade TEXT CHECK (grade IN ('hard', 'soft', 'temporary')),
    gap INTEGER NOT NULL DEFAULT 0 CHECK (gap IN (0, 1)),
    interval INTEGER,
    next_check TEXT
) STRICT;
CREATE INDEX poll_feed ON poll(feed_id);
CREATE TABLE websub (
    feed_id INTEGER PRIMARY KEY REFERENCES feed(id) ON DELETE CASCADE,
    hub TEXT NOT NULL,
    topic TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    wants TEXT NOT NULL CHECK (wants IN ('subscribe', 'unsubscribe')),
    asked TEXT,
    next_try TEXT,
    tries INTEGER NOT NULL,
    lease_until TEXT,
    pushing INTEGER NOT NULL CHECK (pushing IN (0, 1)),
    interval INTEGER,
    last_push TEXT,
    pushes INTEGER NOT NULL,
    ignored INTEGER NOT NULL,
    reason TEXT
) STRICT;
CREATE INDEX websub_next_try ON websub(next_try);
CREATE TABLE polling (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at TEXT NOT NULL,
    ended INTEGER NOT NULL CHECK (ended IN (0, 1))
) STRICT;
CREATE TABLE host (
    name TEXT PRIMARY KEY,
    asked_to_wait_until TEXT,
    delay REAL
) STRICT, WITHOUT ROWID;
CREATE TABLE robots (
    origin TEXT NOT NULL,
    own INTEGER NOT NULL CHECK (own IN (0, 1)),
    until TEXT NOT NULL,
    body BLOB,
    reason TEXT NOT NULL,
    PRIMARY KEY (origin, own)
) STRICT;
CREATE INDEX robots_until ON robots(until);
CREATE TABLE page_failure (
    url TEXT NOT NULL,
    own INTEGER NOT NULL CHECK (own IN (0, 1)),
    until TEXT NOT NULL,
    reason TEXT NOT NULL,
    passing INTEGER NOT NULL CHECK (passing IN (0, 1)),
    times INTEGER NOT NULL,
    PRIMARY KEY (url, own)
) STRICT, WITHOUT ROWID;
CREATE INDEX page_failure_until ON page_failure(until);
CREATE TABLE refusal (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    feed_id INTEGER REFERENCES feed(id) ON DELETE CASCADE,
    UNIQUE (what, reason)
) STRICT;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('feed', 'page', 'robots.txt')),
    url TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    feed_id INTEGER REFERENCES feed(id) ON DELETE CASCADE,
    reason TEXT NOT NULL,
    tries INTEGER NOT NULL,
    first_tried TEXT NOT NULL,
    last_tried TEXT NOT NULL,
    size INTEGER NOT NULL,
    content BLOB,
    dropped INTEGER NOT NULL DEFAULT 0 CHECK (dropped IN (0, 1)),
    UNIQUE (url, content_hash)
) STRICT;
CREATE INDEX quarantine_feed ON quarantine(feed_id);
"""

ARTICLES = """
CREATE TABLE story (
    id INTEGER PRIMARY KEY,
    articles INTEGER NOT NULL,
    publishers INTEGER NOT NULL,
    independent_origins INTEGER NOT NULL,
    first_seen TEXT NOT NULL,
    title TEXT NOT NULL,
    alarm TEXT
) STRICT;
CREATE TABLE article (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    publisher_id INTEGER NOT NULL REFERENCES publisher(id),
    title TEXT NOT NULL,
    published TEXT,
    first_seen TEXT NOT NULL,
    canonical TEXT,
    revision_id INTEGER REFERENCES revision(id),
    story_id INTEGER REFERENCES story(id),
    traced INTEGER NOT NULL DEFAULT 0 CHECK (traced IN (0, 1)),
    told TEXT
) STRICT;
CREATE INDEX article_publisher ON article(publisher_id);
CREATE INDEX article_story ON article(story_id);
CREATE INDEX article_untraced ON article(id) WHERE traced = 0;
CREATE TABLE address (
    url TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    article_id INTEGER NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    first_seen TEXT NOT NULL,
    redirects INTEGER NOT NULL DEFAULT 0 CHECK (redirects IN (0, 1)),
    canonical TEXT
) STRICT;
CREATE INDEX address_article ON address(article_id);
CREATE INDEX address_key ON address(key);
CREATE TABLE revision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id INTEGER NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    step TEXT NOT NULL DEFAULT 'read' CHECK (step IN ('read', 'cleaned', 'matched')),
    judgement TEXT CHECK (judgement IN ('ok', 'too little text')),
    UNIQUE (article_id, text_hash)
) STRICT;
CREATE INDEX revision_hash ON revision(text_hash);
CREATE INDEX revision_uncleaned ON revision(id) WHERE step = 'read';
CREATE INDEX revision_uncompared ON revision(article_id) WHERE step = 'cleaned';
CREATE INDEX article_revision ON article(revision_id);
CREATE TABLE sighting (
    feed_id INTEGER NOT NULL REFERENCES feed(id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    entry_hash TEXT NOT NULL,
    article_id INTEGER REFERENCES article(id) ON DELETE CASCADE,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    refusals INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (feed_id, key)
) STRICT;
CREATE INDEX sighting_article ON sighting(article_id);
CREATE TABLE credit (
    id INTEGER PRIMARY KEY,
    revision_id INTEGER NOT NULL REFERENCES revision(id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('republication', 'wire', 'hat-tip', 'cited', 'media')),
    publisher_id INTEGER REFERENCES publisher(id),
    text TEXT NOT NULL,
    name TEXT,
    name_key TEXT,
    url TEXT,
    "start" INTEGER,
    "end" INTEGER,
    field TEXT
) STRICT;
CREATE INDEX credit_revision ON credit(revision_id);
CREATE INDEX credit_publisher ON credit(publisher_id);
CREATE INDEX credit_name ON credit(name_key);
CREATE TABLE link (
    revision_id INTEGER NOT NULL REFERENCES revision(id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    key TEXT NOT NULL,
    anchor TEXT NOT NULL,
    PRIMARY KEY (revision_id, url)
) STRICT;
CREATE INDEX link_key ON link(key);
CREATE TABLE removal (
    revision_id INTEGER NOT NULL REFERENCES revision(id) ON DELETE CASCADE,
    rule TEXT NOT NULL,
    "start" INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    PRIMARY KEY (revision_id, "start")
) STRICT;
CREATE TABLE publisher_line (
    publisher_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    line_key INTEGER NOT NULL,
    articles INTEGER NOT NULL,
    PRIMARY KEY (publisher_id, line_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX publisher_line_repeated ON publisher_line(publisher_id, articles, line_key) WHERE articles > 1;
CREATE TABLE furniture (
    publisher_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    line_key INTEGER NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (publisher_id, line_key)
) STRICT, WITHOUT ROWID;
"""

MATCHES = """
CREATE TABLE parameters (
    id INTEGER PRIMARY KEY,
    json TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE fingerprint (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    revision_id INTEGER NOT NULL UNIQUE REFERENCES revision(id) ON DELETE CASCADE,
    parameters_id INTEGER NOT NULL REFERENCES parameters(id),
    shingles INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE TABLE match (
    a INTEGER NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    b INTEGER NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    a_revision INTEGER NOT NULL REFERENCES revision(id) ON DELETE CASCADE,
    b_revision INTEGER NOT NULL REFERENCES revision(id) ON DELETE CASCADE,
    resemblance REAL NOT NULL,
    a_in_b REAL NOT NULL,
    b_in_a REAL NOT NULL,
    shared_words INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('verbatim', 'edited', 'excerpt', 'shared-passage')),
    PRIMARY KEY (a, b),
    CHECK (a < b)
) STRICT;
CREATE INDEX match_b ON match(b);
CREATE INDEX match_a_revision ON match(a_revision);
CREATE INDEX match_b_revision ON match(b_revision);
CREATE TABLE edge (
    id INTEGER PRIMARY KEY,
    copy_id INTEGER NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    source_id INTEGER REFERENCES article(id) ON DELETE CASCADE,
    source_publisher_id INTEGER REFERENCES publisher(id),
    kind TEXT NOT NULL CHECK (kind IN ('verbatim', 'edited', 'excerpt', 'multi-source')),
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    credited INTEGER NOT NULL CHECK (credited IN (0, 1)),
    credited_to_id INTEGER REFERENCES publisher(id),
    verdict TEXT CHECK (verdict = 'confirmed'),
    CHECK (source_id IS NOT NULL OR source_publisher_id IS NOT NULL)
) STRICT;
CREATE INDEX edge_copy ON edge(copy_id);
CREATE INDEX edge_source ON edge(source_id);
CREATE INDEX edge_source_publisher ON edge(source_publisher_id);
CREATE INDEX edge_credited_to ON edge(credited_to_id);
CREATE TRIGGER decided AFTER INSERT ON publisher_decision BEGIN INSERT OR IGNORE INTO stale VALUES ('houses'); END;
CREATE TRIGGER edge_added AFTER INSERT ON edge BEGIN INSERT OR IGNORE INTO stale VALUES ('houses'); END;
CREATE TRIGGER edge_taken AFTER DELETE ON edge BEGIN INSERT OR IGNORE INTO stale VALUES ('houses'); END;
CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    edge_id INTEGER NOT NULL REFERENCES edge(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    weight REAL NOT NULL,
    "start" INTEGER,
    "end" INTEGER
) STRICT;
CREATE INDEX evidence_edge ON evidence(edge_id);
"""

# A verdict may name an address before an article is known by it, hence the trigger.
# `subject` is the key of a source's address, the folded name of a publisher, or empty for an origin. `told` of an article is what `history`
# last said of its sources; `retrace` says why an article is to be traced again where its own revisions do not.
VERDICTS = """
CREATE TABLE verdict (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    copy TEXT NOT NULL,
    copy_key TEXT NOT NULL,
    source TEXT,
    subject TEXT NOT NULL,
    publisher_key TEXT,
    says TEXT NOT NULL CHECK (says IN ('confirm', 'reject', 'origin')),
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    note TEXT NOT NULL,
    UNIQUE (copy_key, subject, says),
    CHECK ((says = 'origin') = (source IS NULL))
) STRICT;
CREATE INDEX verdict_subject ON verdict(subject);
CREATE INDEX verdict_publisher ON verdict(publisher_key);
CREATE TRIGGER address_of_verdict AFTER INSERT ON address
WHEN EXISTS (SELECT 1 FROM verdict WHERE copy_key = NEW.key OR subject = NEW.key)
BEGIN UPDATE article SET traced = 0 WHERE id = NEW.article_id; END;
CREATE TABLE retrace (
    article_id INTEGER NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    cause TEXT NOT NULL CHECK (cause IN ('publishers', 'verdict', 'forget')),
    because TEXT NOT NULL,
    PRIMARY KEY (article_id, cause, because)
) STRICT, WITHOUT ROWID;
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    change TEXT NOT NULL CHECK (change IN ('first traced', 'gained', 'lost', 'replaced', 'confidence', 'credited', 'verdict')),
    cause TEXT NOT NULL CHECK (cause IN ('new article', 'new revision', 'publishers', 'verdict', 'forget', 'comparison')),
    because TEXT,
    source TEXT,
    source_publisher TEXT,
    confidence REAL,
    credited INTEGER CHECK (credited IN (0, 1)),
    verdict TEXT,
    was_source TEXT,
    was_source_publisher TEXT,
    was_confidence REAL,
    was_credited INTEGER CHECK (was_credited IN (0, 1)),
    was_verdict TEXT
) STRICT;
CREATE INDEX history_article ON history(article_id);
"""

# What articles tell of their publishers: `naming` and `claim` hold what each article says, `habit` and `dating` count articles.
HABITS = """
CREATE TABLE naming (
    article_id INTEGER NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    publisher_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    named_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    PRIMARY KEY (article_id, named_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX naming_publisher ON naming(publisher_id);
CREATE INDEX naming_named ON naming(named_id);
CREATE TABLE habit (
    publisher_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    named_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    articles INTEGER NOT NULL,
    step INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 1 CHECK (changed IN (0, 1)),
    PRIMARY KEY (publisher_id, named_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX habit_named ON habit(named_id);
CREATE INDEX habit_changed ON habit(publisher_id) WHERE changed = 1;
CREATE TRIGGER naming_added AFTER INSERT ON naming BEGIN
    INSERT INTO habit (publisher_id, named_id, articles) VALUES (NEW.publisher_id, NEW.named_id, 1)
    ON CONFLICT DO UPDATE SET articles = articles + 1, changed = 1; END;
CREATE TRIGGER naming_taken AFTER DELETE ON naming BEGIN
    UPDATE habit SET articles = articles - 1, changed = 1 WHERE publisher_id = OLD.publisher_id AND named_id = OLD.named_id; END;
CREATE TABLE claim (
    article_id INTEGER PRIMARY KEY REFERENCES article(id) ON DELETE CASCADE,
    publisher_id INTEGER NOT NULL REFERENCES publisher(id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('prompt', 'late', 'off', 'undated'))
) STRICT;
CREATE INDEX claim_publisher ON claim(publisher_id);
CREATE TABLE dating (
    publisher_id INTEGER PRIMARY KEY REFERENCES publisher(id) ON DELETE CASCADE,
    prompt INTEGER NOT NULL,
    late INTEGER NOT NULL,
    off INTEGER NOT NULL,
    undated INTEGER NOT NULL,
    dates TEXT NOT NULL DEFAULT '' CHECK (dates IN ('', 'prompt', 'slow', 'off')),
    polled INTEGER NOT NULL DEFAULT 0 CHECK (polled IN (0, 1)),
    changed INTEGER NOT NULL DEFAULT 1 CHECK (changed IN (0, 1))
) STRICT;
CREATE INDEX dating_changed ON dating(publisher_id) WHERE changed = 1;
CREATE TRIGGER claim_added AFTER INSERT ON claim BEGIN
    INSERT INTO dating (publisher_id, prompt, late, off, undated)
    VALUES (NEW.publisher_id, NEW.kind = 'prompt', NEW.kind = 'late', NEW.kind = 'off', NEW.kind = 'undated')
    ON CONFLICT DO UPDATE SET prompt = prompt + excluded.prompt, late = late + excluded.late, off = off + excluded.off,
    undated = undated + excluded.undated, changed = 1; END;
CREATE TRIGGER claim_taken AFTER DELETE ON claim BEGIN
    UPDATE dating SET prompt = prompt - (OLD.kind = 'prompt'), late = late - (OLD.kind = 'late'), off = off - (OLD.kind = 'off'),
    undated = undated - (OLD.kind = 'undated'), changed = 1 WHERE publisher_id = OLD.publisher_id; END;
"""
