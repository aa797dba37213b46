"""The network's side of a tracker, as it opens and closes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from syndtrack import network
from syndtrack.config import Settings
from syndtrack.store.store import Store


async def test_connections_that_cannot_be_made_leave_nothing_running(store: Store, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(network, "Workers", refuse)
    before = asyncio.all_tasks()
    with ThreadPoolExecutor(1) as thread, pytest.raises(OSError, match="no more processes"):
        async with network.connected(Settings(), store, thread, lambda: datetime.now(UTC)):
            pass
    assert asyncio.all_tasks() == before
