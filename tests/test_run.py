"""`syndtrack run` as a process of its own: it is stopped and killed at any moment, and goes on where it was."""

import asyncio
import os
import select
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest

from syndtrack.config import Settings
from syndtrack.sample import Newsroom, open_newsroom
from syndtrack.tracker import Tracker
from syndtrack.web.listening import listening

FOLDER = Path(__file__).parent.parent / "seeds" / "sample"
COMMAND = (sys.executable, "-c", "from syndtrack.cli import main; main()")


class Run:
    """A running `syndtrack run`: its lines on standard error, its pages, its end."""

    def __init__(self, process: asyncio.subprocess.Process, client: aiohttp.ClientSession) -> None:
        self._process, self._client = process, client
        self.pid = process.pid
        self.address = ""

    async def line(self, start: str) -> str:
        """The next line that starts so."""
        assert self._process.stderr is not None
        while line := (await self._process.stderr.readline()).decode():
            if line.startswith(start):
                return line
        raise AssertionError(f"ended without a line that starts with {start!r}")

    async def serving(self) -> None:
        self.address = (await self.line("serving on ")).split()[2]

    async def asked(self, path: str):
        async with self._client.get(self.address + path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def until_articles(self, number: int) -> None:
        """Asks again and again; every answer is itself a pause."""
        while (await self.asked("healthz"))["articles"] < number:
            pass

    async def until_all_polled(self) -> None:
        while any(feed["outcome"] == "not polled yet" for feed in (await self.asked("api/v1/feeds"))["feeds"]):
            pass

    async def ended(self, number: signal.Signals | None = None) -> tuple[int, str]:
        """Exit status and the rest of standard error, after a signal."""
        if number is not None:
            self._process.send_signal(number)
        _, rest = await self._process.communicate()
        return int(self._process.returncode or 0), rest.decode()

    async def leaves_no_process(self) -> None:
        """Workers end with it; after SIGKILL the kernel ends them, which takes a moment."""
        while members := running_in_group(self.pid):
            with suppress(ProcessLookupError):
                ended = os.pidfd_open(members[0])  # readable once the process has ended
                try:
                    await asyncio.to_thread(select.select, [ended], [], [])
                finally:
                    os.close(ended)


def running_in_group(group: int) -> list[int]:
    """The processes of a group, without those that have ended but nobody took note of."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, of_group = status.read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state not in "ZX":
                found.append(int(status.parent.name))
    return found


Start = Callable[..., object]


@pytest.fixture
async def newsroom() -> AsyncIterator[Newsroom]:
    async with open_newsroom(FOLDER) as running:
        running.reveal(running.rounds)
        yield running


@pytest.fixture
def started(tmp_path: Path, client: aiohttp.ClientSession):
    """Starts `run` on x.db of this test's folder."""
    (tmp_path / "syndtrack.toml").write_text("host_delay = 0\n", encoding="utf-8")

    @asynccontextmanager
    async def start(*options: str) -> AsyncIterator[Run]:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "--db", "x.db", "run", "--port", "0", *options,
            cwd=tmp_path, stderr=asyncio.subprocess.PIPE, start_new_session=True,
            env=os.environ | {"SYNDTRACK_ALLOW_NETWORKS": "127.0.0.0/8"},
        )  # fmt: skip
        try:
            yield Run(process, client)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()

    return start


def settings(db: Path) -> Settings:
    return Settings(db=db, allow_networks=(ip_network("127.0.0.0/8"),), host_delay=0.0)


def shared_texts(tracker: Tracker) -> object:
    """Which texts were found and which of them share text. Edges also weigh the second in which each was first seen."""
    pairs = sorted((*sorted((row["a"], row["b"])), row["kind"], row["shared_words"]) for row in tracker.report("matches"))
    return pairs, tracker.store.lookups.counts()["revisions"]


async def test_stopped_and_killed_at_several_moments_it_ends_with_the_same_findings(tmp_path: Path, newsroom: Newsroom, started):
    with Tracker(settings(tmp_path / "whole.db")) as whole:
        whole.add([feed.url for feed in newsroom.feeds])
        async with whole.scheduler() as scheduler:
            await scheduler.round()
        expected = shared_texts(whole)
    with Tracker(settings(tmp_path / "x.db")) as tracker:
        tracker.add([feed.url for feed in newsroom.feeds])
    articles = len(newsroom.sample.articles)
    for number, share in (
        (signal.SIGTERM, 0.0),
        (signal.SIGKILL, 0.05),
        (signal.SIGTERM, 0.3),
        (signal.SIGKILL, 0.6),
        (signal.SIGINT, 0.8),
    ):
        async with started() as run:
            await run.serving()
            await run.until_articles(int(articles * share))
            status, rest = await run.ended(number)
            assert status == (-signal.SIGKILL if number is signal.SIGKILL else 0), rest
            await run.leaves_no_process()
    async with started() as run:
        await run.serving()
        await run.until_all_polled()
        assert (await run.ended(signal.SIGTERM))[0] == 0
    with Tracker(settings(tmp_path / "x.db")) as tracker:
        assert shared_texts(tracker) == expected
        edges = list(tracker.report("edges"))
        with tracker.store.transaction():
            everyone = [row[0] for row in tracker.store.db.execute("SELECT id FROM article").fetchall()]
            tracker.store.edges.clear(everyone)
            tracker.store.db.execute("UPDATE article SET traced = 0")
        assert list(tracker.report("edges")) == []
        await asyncio.to_thread(tracker.ingest, [])
        assert list(tracker.report("edges")) == edges  # what one tracing of all that is stored gives, without interruption
        assert tracker.store.lookups.counts()["articles"] == articles
        assert tracker.store.db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert tracker.store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


async def test_a_round_is_told_in_one_line_and_pages_show_what_it_found(tmp_path: Path, newsroom: Newsroom, started):
    with Tracker(settings(tmp_path / "x.db")) as tracker:
        tracker.add([feed.url for feed in newsroom.feeds])
    async with started() as run:
        await run.serving()
        assert (await run.line("14 feeds polled")).startswith("14 feeds polled, 2 failed, ")
        assert (await run.asked("api/v1/duplicates"))["duplicates"]


async def test_a_feed_subscribed_meanwhile_is_polled_soon(tmp_path: Path, newsroom: Newsroom, started):
    async with started() as run:
        assert "syndtrack add" in await run.line("no feeds yet")
        await run.serving()
        with Tracker(settings(tmp_path / "x.db")) as tracker:
            tracker.add([newsroom.feeds[0].url])
        await run.line("1 feed polled, 0 failed")


async def test_a_second_signal_while_stopping_ends_it_at_once(tmp_path: Path, started):
    """A server that never answers keeps nothing up; a second signal would end it even in the middle of storing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with Tracker(settings(tmp_path / "x.db")) as tracker:
            tracker.add([f"http://127.0.0.1:{silent.getsockname()[1]}/feed"])
        async with started() as run:
            await run.serving()
            await asyncio.get_running_loop().run_in_executor(None, silent.accept)
            os.kill(run.pid, signal.SIGINT)
            await run.line("stopping")
            status, rest = await run.ended(signal.SIGINT)
            assert status in (0, -signal.SIGINT)
            assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("option", "value", "told"), [("--port", None, "is taken; choose another with --port"), ("--host", "192.0.2.1", "cannot serve on")]
)
async def test_a_place_that_cannot_be_served_on_is_told_in_one_line_and_nothing_is_made(
    tmp_path: Path, started, option: str, value: str | None, told: str
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with started(option, value or str(taken.getsockname()[1])) as run:
            status, rest = await run.ended()
    assert status == 2
    lines = [line for line in rest.splitlines() if not line.startswith("no feeds yet")]
    assert len(lines) == 1
    assert told in lines[0]
    assert not [name for name in os.listdir(tmp_path) if name.startswith("x.db")]


IMPATIENT = "import syndtrack.store.store as s; s.TELL_AFTER = 0.0; from syndtrack.cli import main; main()"


@pytest.mark.parametrize("command", [["poll"], ["run", "--port", "0"], ["ingest", "a.jsonl"]], ids=["poll", "run", "ingest"])
async def test_interrupted_while_another_process_writes_it_ends_at_once_and_keeps_what_was_stored(tmp_path: Path, command: list[str]):
    (tmp_path / "a.jsonl").write_text('{"url": "https://paper.example/a", "text": "Some text."}\n', encoding="utf-8")
    with Tracker(settings(tmp_path / "x.db")) as tracker:
        tracker.add(["http://127.0.0.1:9/feed"])
        with tracker.store.transaction():
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", IMPATIENT, "--db", "x.db", *command),
                cwd=tmp_path, stderr=asyncio.subprocess.PIPE, start_new_session=True,
                env=os.environ | {"SYNDTRACK_ALLOW_NETWORKS": "127.0.0.0/8"},
            )  # fmt: skip
            assert process.stderr is not None
            while b"another process is writing; waiting for it" not in (await process.stderr.readline()):
                assert process.returncode is None
            process.send_signal(signal.SIGINT)
            rest = (await process.communicate())[1].decode()
        assert process.returncode == (0 if command[0] == "run" else 130), rest
        assert "Traceback" not in rest
        assert tracker.feeds()[0]["outcome"] == "not polled yet"


def test_a_name_that_leads_to_one_address_twice_is_served_on_once(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    twice = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))] * 2
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: twice)
    (only,) = listening("newsbox", port)
    with only:
        assert only.getsockname() == ("127.0.0.1", port)
