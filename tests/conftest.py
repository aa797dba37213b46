"""What several test files use."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner, Result
from hypothesis import settings as laws
from test_flow import AGENCY, AGGREGATOR, BLOG, UNRELATED

from syndtrack.cli import main
from syndtrack.config import Settings
from syndtrack.store.store import Store
from syndtrack.tracker import Tracker

# How long a law takes to check is not what is tested, and machines are busy.
laws.register_profile("untimed", deadline=None)
laws.load_profile("untimed")


def ingested(folder: Path, articles: Sequence[dict[str, str]], name: str = "x.db") -> Tracker:
    """A tracker on a database in a folder, with these articles taken in. To be closed by the caller."""
    archive = folder / f"{name}.jsonl"
    archive.write_text("".join(json.dumps(each) + "\n" for each in articles), encoding="utf-8")
    tracker = Tracker(Settings(db=folder / name))
    tracker.ingest([str(archive)])
    return tracker


@pytest.fixture(scope="session")
def filled_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a chain of three, an article of its own, a feed that was never polled. To be read only: several tests share it."""
    folder = tmp_path_factory.mktemp("filled")
    with ingested(folder, [AGENCY, AGGREGATOR, BLOG, UNRELATED]) as tracker:
        tracker.add(["https://user:swordfish@feeds.example/rss?token=opensesame"])
    return folder / "x.db"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A command on `x.db` in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, ["--db", "x.db", *arguments], input=stdin)

    return invoke


@pytest.fixture
def filled(run, tmp_path: Path):
    """The same, the chain of three taken in."""
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(a) + "\n" for a in (AGENCY, AGGREGATOR, BLOG)), encoding="utf-8")
    assert run("ingest", "a.jsonl").exit_code == 0
    return run


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def store() -> Iterator[Store]:
    with closing(Store(":memory:")) as opened:
        yield opened


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in store.db.execute(query).fetchall()]
