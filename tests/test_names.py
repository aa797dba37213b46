"""Names are looked up side by side: those that hang take up nothing that others need."""

from __future__ import annotations

import asyncio
import socket

import pytest
from polling_rig import LOOPBACK, Clock

from syndtrack.polling import names as names_module
from syndtrack.polling.guard import Guard
from syndtrack.polling.names import HUNG_LOOKUPS, KEPT_SECONDS, LOOKUPS, LOOKUPS_PER_DOMAIN, Names, SystemLookup


class FakeServer:
    """A name server: names that start with `slow` hang until released. Notes who asked, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.released = asyncio.Event()
        self.changed = asyncio.Condition()

    async def __call__(self, host: str, port: int) -> list[tuple[object, ...]]:
        self.asked.append(host)
        async with self.changed:
            self.changed.notify_all()
        if host.startswith("slow"):
            await self.released.wait()
        if host.startswith("none"):
            raise OSError(None, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async def until_asked(self, number: int) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.asked) >= number)


def names(server: FakeServer, clock: Clock | None = None) -> Names:
    return Names(Guard(LOOPBACK), server, (clock or Clock()).read_ticks)


async def give_up(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_hundred_hanging_names_of_different_domains_hold_up_nobody_else():
    server = FakeServer()
    looked = names(server)
    slow = [asyncio.create_task(looked.resolve(f"slow{n}.site{n}.com", 80)) for n in range(100)]
    await server.until_asked(100)
    assert [found["host"] for found in await looked.resolve("quick.example", 80)] == ["127.0.0.1"]
    assert not any(task.done() for task in slow)
    server.released.set()
    await asyncio.gather(*slow)


async def test_names_of_one_domain_that_hang_take_up_few_places():
    server = FakeServer()
    looked = names(server)
    slow = [asyncio.create_task(looked.resolve(f"slow{n}.wild.com", 80)) for n in range(50)]
    await server.until_asked(LOOKUPS_PER_DOMAIN)
    await looked.resolve("quick.example", 80)
    assert len(server.asked) == LOOKUPS_PER_DOMAIN + 1
    await give_up(*slow)
    await looked.close()


async def test_names_that_hung_before_never_take_all_places_again(monkeypatch):
    monkeypatch.setattr(names_module, "DEADLINE", 0.01)
    server = FakeServer()
    looked = names(server)
    hosts = [f"slow{n}.site{n}.com" for n in range(LOOKUPS + 20)]
    first = await asyncio.gather(*(looked.resolve(host, 80) for host in hosts), return_exceptions=True)
    assert {str(error) for error in first} == {"[Errno None] the name server did not answer in time"}
    monkeypatch.setattr(names_module, "DEADLINE", 60.0)
    server.asked.clear()
    again = [asyncio.create_task(looked.resolve(host, 80)) for host in hosts]
    await server.until_asked(HUNG_LOOKUPS)
    await looked.resolve("quick.example", 80)
    assert server.asked.index("quick.example") == HUNG_LOOKUPS
    server.released.set()  # they answer again, and are names like all others
    await asyncio.gather(*again)
    assert not looked._hung
    await looked.close()


async def test_a_name_is_asked_once_for_all_who_wait_and_its_answer_is_kept_for_a_while():
    server, clock = FakeServer(), Clock()
    looked = names(server, clock)
    await asyncio.gather(*(looked.resolve("a.example", 80) for _ in range(20)))
    await looked.resolve("a.example", 80)
    assert server.asked == ["a.example"]
    clock.ticks += KEPT_SECONDS
    await looked.resolve("a.example", 80)
    assert server.asked == ["a.example"] * 2


async def test_one_who_stops_waiting_leaves_the_look_up_to_the_others():
    server = FakeServer()
    looked = names(server)
    impatient, patient = (asyncio.create_task(looked.resolve("slow.example", 80)) for _ in range(2))
    await server.until_asked(1)
    await give_up(impatient)
    server.released.set()
    assert (await patient)[0]["host"] == "127.0.0.1"
    assert server.asked == ["slow.example"]


async def test_a_failure_is_not_kept():
    server = FakeServer()
    looked = names(server)
    for _ in range(2):
        with pytest.raises(OSError, match="no such name"):
            await looked.resolve("none.example", 80)
    assert len(server.asked) == 2


async def test_a_name_of_ones_own_network_is_known_as_such():
    looked = names(FakeServer())
    await looked.resolve("home.example.", 80)
    assert looked.own_hosts == {"home.example"}


async def test_the_system_is_asked_and_hosts_files_count():
    lookup = SystemLookup()
    found = await lookup("localhost", 80)
    assert {info[4][0] for info in found} <= {"127.0.0.1", "::1"}
    assert found
    await lookup.close()


async def test_closing_ends_what_is_under_way():
    server = FakeServer()
    looked = names(server)
    slow = asyncio.create_task(looked.resolve("slow.example", 80))
    await server.until_asked(1)
    await looked.close()
    await give_up(slow)
    assert not looked._running
