"""What the client session takes from its surroundings (nothing) and from servers' headers (so much and no more)."""

from __future__ import annotations

from pathlib import Path

import pytest
from polling_rig import Clock, make_fetcher
from scripted_server import Reply, ScriptedServer

from syndtrack.errors import FetchError
from syndtrack.polling.fetch import MAX_HEADER, MAX_HEADERS


async def test_neither_proxies_nor_logins_of_the_environment_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with ScriptedServer({"/feed": Reply(b"direct")}) as server, ScriptedServer(host="127.7.7.7") as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url("/"))
        monkeypatch.delenv("no_proxy", raising=False)
        login = tmp_path / "netrc"
        login.write_text("machine 127.0.0.1 login reader password swordfish\n")
        login.chmod(0o600)
        monkeypatch.setenv("NETRC", str(login))
        async with make_fetcher(Clock()) as fetcher:
            assert (await fetcher.fetch(server.url("/feed"))).body == b"direct"
        assert proxy.asked == []
        assert "authorization" not in {name.lower() for name in server.asked[0].headers}


async def test_the_resolver_is_not_asked_for_literal_addresses():
    asked: list[str] = []

    def lookup(host: str, port: int):
        asked.append(host)
        raise OSError(None, "no such name")

    async with ScriptedServer({"/feed": Reply(b"x")}) as server, make_fetcher(Clock(), lookup=lookup) as fetcher:
        await fetcher.fetch(server.url("/feed"))
        for literal in ("10.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"):
            with pytest.raises(FetchError, match=r"is (?:private|loopback|link-local)"):
                await fetcher.fetch(f"http://{literal}/")
        with pytest.raises(FetchError, match="no such name"):
            await fetcher.fetch("http://name.example/")
    assert asked == ["name.example"]


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ([("Content-Security-Policy", "x" * (MAX_HEADER - 100))], True),
        ([("Content-Security-Policy", "x" * (MAX_HEADER + 1))], False),
        ([(f"X-{n}", "x") for n in range(MAX_HEADERS - 20)], True),
        ([(f"X-{n}", "x") for n in range(MAX_HEADERS + 1)], False),
    ],
    ids=["long", "too-long", "many", "too-many"],
)
async def test_headers_are_taken_up_to_a_length_and_a_number(headers: list[tuple[str, str]], taken: bool):
    async with ScriptedServer({"/feed": Reply(b"body", headers=tuple(headers))}) as server, make_fetcher(Clock()) as fetcher:
        if taken:
            assert (await fetcher.fetch(server.url("/feed"))).body == b"body"
        else:
            with pytest.raises(FetchError, match="no valid HTTP"):
                await fetcher.fetch(server.url("/feed"))
