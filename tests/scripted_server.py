"""A server on loopback that answers exactly the bytes it is told to, and keeps a log of what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Asked:
    """One request: its target as sent, and its headers as bytes, names in lower case."""

    target: str
    headers: Mapping[str, bytes]


@dataclass(frozen=True)
class Reply:
    """What to send. `raw` replaces everything else. `cut` closes the connection after so many bytes of the body, `hang` never ends it."""

    body: bytes = b""
    status: str = "200 OK"
    headers: tuple[tuple[str, bytes | str], ...] = ()
    framed: bool = True
    chunked: bool = False
    cut: int | None = None
    hang: bool = False
    raw: bytes | None = None

    def bytes(self) -> bytes:
        if self.raw is not None:
            return self.raw
        lines = [f"HTTP/1.1 {self.status}".encode()]
        lines += [name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) for name, value in self.headers]
        if self.chunked:
            pieces = [self.body[at : at + 1_000] for at in range(0, len(self.body), 1_000)]
            head = b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"Connection: close"]) + b"\r\n\r\n"
            return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        if self.framed:
            lines.append(b"Content-Length: " + str(len(self.body)).encode())
        lines.append(b"Connection: close")
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body[: self.cut]


Answering = Reply | Callable[[Asked], Reply]


@dataclass
class ScriptedServer:
    """Replies by path (target without query); a list is used up one by one, its last reply stays."""

    pages: dict[str, Answering | list[Answering]] = field(default_factory=dict)
    host: str = "127.0.0.1"
    asked: list[Asked] = field(default_factory=list)
    before_reply: Callable[[], Awaitable[object]] | None = None
    open_now: int = 0
    most_open: int = 0

    async def __aenter__(self) -> Self:
        self._release = asyncio.Event()
        self._server = await asyncio.start_server(self._serve, self.host, 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._release.set()
        self._server.close()
        await self._server.wait_closed()

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [asked.target for asked in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            start = await reader.readexactly(1)
            if start == b"\x16":  # a TLS handshake
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            head = start + await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.rstrip().split(b"\r\n")
            pairs = (line.split(b": ", 1) for line in lines)
            asked = Asked(first.split(b" ")[1].decode("latin-1"), {name.decode().lower(): value for name, value in pairs})
            self.asked.append(asked)
            if self.before_reply is not None:
                await self.before_reply()
            reply = self._reply(asked)
            writer.write(reply.bytes())
            await writer.drain()
            if reply.hang:
                await self._release.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away, as some tests want
        finally:
            self.open_now -= 1
            writer.close()

    def _reply(self, asked: Asked) -> Reply:
        script = self.pages.get(asked.target.partition("?")[0], Reply(b"not here", status="404 Not Found"))
        if isinstance(script, list):
            script = script.pop(0) if len(script) > 1 else script[0]
        return script if isinstance(script, Reply) else script(asked)
