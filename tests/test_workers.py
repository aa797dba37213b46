"""Worker processes: what goes wrong in one stays there."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import worker_tasks as tasks

from syndtrack.errors import FeedError, RefusedError
from syndtrack.polling.workers import Workers

TESTS = Path(__file__).parent


async def test_a_result_comes_back_from_another_process():
    async with Workers(1) as workers:
        assert await workers.run(tasks.double, 21, what="a number") == 42
        assert await workers.run(tasks.process_id, what="a number") != os.getpid()


@pytest.mark.parametrize("loop", [tasks.loop_for_ever, tasks.loop_in_c, tasks.wait_for_ever])
async def test_an_endless_loop_is_stopped_and_the_next_input_is_read(loop):
    async with Workers(1) as workers:
        with pytest.raises(RefusedError, match=r"poison: took longer than 0\.3 s"):
            await workers.run(loop, what="poison", deadline=0.3)
        assert await workers.run(tasks.double, 2, what="after it") == 4


async def test_a_poisoned_input_fails_alone_among_others():
    async with Workers(2) as workers:
        runs = [workers.run(tasks.double, n, what=f"number {n}") for n in range(40)]
        runs.insert(20, workers.run(tasks.loop_for_ever, what="poison", deadline=0.3))
        runs.insert(10, workers.run(tasks.crash, what="bomb"))
        results = await asyncio.gather(*runs, return_exceptions=True)
    assert [r for r in results if isinstance(r, int)] == [2 * n for n in range(40)]
    assert sorted(r.what for r in results if isinstance(r, RefusedError)) == ["bomb", "poison"]


async def test_a_crash_of_the_process_names_the_input():
    async with Workers(1) as workers:
        with pytest.raises(RefusedError, match=r"bomb: the process that read it ended with status -11"):
            await workers.run(tasks.crash, what="bomb")
        assert await workers.run(tasks.double, 3, what="after it") == 6


async def test_memory_is_bounded():
    async with Workers(1, memory_bytes=200_000_000) as workers:
        with pytest.raises(RefusedError, match="glutton: needs more than 200 MB"):
            await workers.run(tasks.take_memory, 300_000_000, what="glutton")
        assert await workers.run(tasks.take_memory, 50_000_000, what="modest") == 50_000_000


async def test_whatever_an_input_asks_for_a_worker_never_holds_more_than_512_mb(tmp_path: Path):
    told = tmp_path / "peak"
    async with Workers(1) as workers:
        for bomb in (tasks.fill_memory, tasks.fill_memory_in_pieces):
            with pytest.raises(RefusedError, match="bomb: needs more than 512 MB"):
                await workers.run(bomb, told, what="bomb")
            assert 250_000_000 < int(told.read_text()) < 512_000_000
        assert await workers.run(tasks.double, 3, what="after it") == 6


async def test_our_own_errors_come_back_as_they_are():
    async with Workers(1) as workers:
        with pytest.raises(FeedError) as caught:
            await workers.run(tasks.refuse, "http://a.example/feed", what="the feed")
    assert (caught.value.what, caught.value.reason) == ("http://a.example/feed", "no feed at all")


async def test_any_other_error_refuses_the_input_and_names_its_kind():
    async with Workers(1) as workers:
        with pytest.raises(RefusedError, match="the feed: could not be read: KeyError"):
            await workers.run(tasks.stumble, what="the feed")


async def test_workers_are_renewed_after_a_number_of_tasks():
    async with Workers(1, tasks_per_worker=3) as workers:
        ids = [await workers.run(tasks.process_id, what="n") for _ in range(7)]
    assert len(set(ids)) >= 3


SCRIPT = """
import asyncio, os, sys
import worker_tasks as tasks
from syndtrack.polling.workers import Workers
not_for_workers = True
async def main():
    async with Workers(1) as workers:
        print(await workers.run(tasks.main_module_is_imported, what="n"), await workers.run(tasks.process_id, what="n"), flush=True)
        {then}
asyncio.run(main())
"""


def run_script(folder: Path, then: str) -> subprocess.Popen[str]:
    script = folder / "script.py"
    script.write_text(SCRIPT.format(then=then))
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603 - our own script


def test_a_script_without_a_main_guard_works_and_is_not_run_again_by_the_workers(tmp_path):
    output, _ = run_script(tmp_path, "pass").communicate(timeout=60)
    assert output.split()[0] == "False"
    assert len(output.splitlines()) == 1


def test_ending_at_once_says_nothing(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio\nfrom syndtrack.polling.workers import Workers\n"
        "async def main():\n    async with Workers(2):\n        pass\nasyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own script
    assert (done.returncode, done.stderr) == (0, "")


def test_a_looping_worker_does_not_outlive_the_program(tmp_path):
    program = run_script(tmp_path, "await workers.run(tasks.say_and_loop_for_ever, what='poison', deadline=600)")
    assert program.stdout is not None
    worker = int(program.stdout.readline().split()[1])
    assert program.stdout.readline() == "looping\n"
    program.send_signal(signal.SIGKILL)
    program.communicate(timeout=60)  # the worker holds the output too: it ends when its last holder is gone
    assert not Path(f"/proc/{worker}/cmdline").exists() or Path(f"/proc/{worker}/cmdline").read_text() == ""


# While the fork server imports what it shares, which takes seconds, Ctrl-C is pressed: every process of the group gets the signal.
INTERRUPTED = """
import asyncio
from syndtrack.polling.workers import Workers
from worker_tasks import double
async def main():
    async with Workers(2, warm=["pressing_ctrl_c"]) as workers:
        try:
            print(await workers.run(double, 21, what="a number"))
        except asyncio.CancelledError:
            print("interrupted")
            raise
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("the end")
"""


def test_an_interruption_while_processes_start_is_seen_by_the_program_alone(tmp_path):
    (tmp_path / "pressing_ctrl_c.py").write_text("import os, signal\nos.killpg(0, signal.SIGINT)\n")
    (tmp_path / "script.py").write_text(INTERRUPTED)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(TESTS), str(tmp_path)))}
    command = [sys.executable, str(tmp_path / "script.py")]
    done = subprocess.run(command, capture_output=True, text=True, start_new_session=True, env=environment, check=False)  # noqa: S603 - our own script
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "the end"


async def test_a_worker_goes_on_when_the_program_is_interrupted():
    async with Workers(1) as workers:
        assert await workers.run(tasks.interrupt_myself, 21, what="a number") == 21
