"""What a terminal shows while a command works, and what of that a pipe gets: nothing."""

import asyncio
import os
import pty
import re
import sys
from pathlib import Path

import pytest
from scripted_server import Reply, ScriptedServer

from syndtrack.config import Settings
from syndtrack.tracker import Tracker

FEED = """<rss version="2.0"><channel><title>Tide Post</title><item><title>Basin shut</title><link>{}</link>
<description>The northern basin is closed.</description></item></channel></rss>"""
PAGE = "<!doctype html><html><head><title>Basin shut</title></head><body><article>" + 3 * (
    "<p>The harbour office has shut the northern basin for eleven weeks, and the ferries leave from the coal quay until then.</p>"
) + "</article></body></html>"  # fmt: skip
CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
async def server():
    page = Reply(PAGE.encode(), headers=(("Content-Type", "text/html"),))
    async with ScriptedServer({"/robots.txt": Reply(), "/basin": page}) as server:
        server.pages["/feed"] = Reply(FEED.format(server.url("/basin")).encode(), headers=(("Content-Type", "application/rss+xml"),))
        yield server


async def polled(folder: Path, server: ScriptedServer, errors: int) -> tuple[int, str, bytes]:
    """The status of a poll whose standard error is a descriptor, its output, and what it wrote to a pipe there."""
    with Tracker(Settings(db=folder / "x.db")) as tracker:
        tracker.add([server.url("/feed")])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "syndtrack", "--db", "x.db", "poll"),
        cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors,
        env=os.environ | {"SYNDTRACK_ALLOW_NETWORKS": "127.0.0.0/8", "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    output, told = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), told or b""


def read_to_the_end(terminal: int) -> str:
    """What was written to a terminal, until nobody has it open."""
    found = b""
    while True:
        try:
            piece = os.read(terminal, 65_536)
        except OSError:  # EIO, Linux's word for it
            return found.decode()
        if not piece:
            return found.decode()
        found += piece


async def test_a_poll_shows_its_progress_on_a_terminal_and_leaves_it_clean(tmp_path: Path, server: ScriptedServer):
    terminal, inner = pty.openpty()
    reading = asyncio.create_task(asyncio.to_thread(read_to_the_end, terminal))
    try:
        status, output, _ = await polled(tmp_path, server, inner)
    finally:
        os.close(inner)
    shown = await reading
    os.close(terminal)
    assert (status, output.splitlines()[0].split(",")[0]) == (0, "1 feed polled")
    assert re.search(r"polled +━+ 1/1 ", CODES.sub("", shown))
    assert "━" not in output
    assert shown.rstrip().endswith("\x1b[2K")  # the last thing said is that the line be wiped


async def test_a_poll_in_a_pipe_shows_no_progress(tmp_path: Path, server: ScriptedServer):
    status, output, told = await polled(tmp_path, server, asyncio.subprocess.PIPE)
    assert (status, told) == (0, b"")
    assert output.startswith("1 feed polled, 0 failed, 1 new")
