"""The full-text index follows what revisions say, and is left alone where only their step changes."""

from test_flow import AGENCY, archive

from syndtrack.config import Settings
from syndtrack.store.store import Store
from syndtrack.tracker import Tracker


def test_a_step_taken_leaves_the_index_alone_and_a_changed_title_does_not(tmp_path):
    path = tmp_path / "x.db"
    with Tracker(Settings(db=path)) as tracker:
        tracker.ingest([archive(tmp_path, [AGENCY])])
    store = Store(path)
    before = store.db.conn.total_changes
    store.db.conn.execute("UPDATE revision SET step = 'read'")
    assert store.db.conn.total_changes == before + 1
    store.db.conn.execute("UPDATE revision SET title = 'Lighthouse to open'")
    found = store.db.execute("SELECT count(*) FROM revision_fts WHERE revision_fts MATCH 'lighthouse'").fetchone()
    gone = store.db.execute("SELECT count(*) FROM revision_fts WHERE revision_fts MATCH 'title: basin'").fetchone()
    store.close()
    assert (found, gone) == ((1,), (0,))
