"""Taking a compressed body apart while it arrives, within bounds.

aiohttp's own decompression returns a gzip body that was cut off as if it were whole, and `response.read()` on a 1 MB bomb takes
2.1 GB. Here output is asked for in pieces, counted, and a stream without its end is an error.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# The encodings asked for; whatever else comes is refused by name.
ACCEPTED = "gzip, deflate, br, zstd"
PIECE = 65_536
# Feeds and pages shrink 3 to 20 times, pages made of one repeated block up to about 60; deflate ends at 1,032.
MAX_RATIO = 150
RATIO_FROM = 1_000_000
# A body that is packed badly is a little larger than what it holds, and some servers pad it: more than this is sent to keep us busy.
SLACK = 65_536
# Servers that pack piece by piece send a few dozen members; thousands of empty ones take time and give nothing.
MAX_MEMBERS = 1_000
# RFC 9659: a zstd body may ask for a window of 8 MB at most; more is memory that the sender, not we, would decide about.
ZSTD_WINDOW_LOG = 23
MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


class BodyError(Exception):
    """A body that cannot be used; the message says why."""


class Inflater:
    """Takes the bytes of a body as they come and gives the plain bytes. Raises BodyError beyond `max_bytes`, either packed (with SLACK)
    or plain, beyond `MAX_RATIO` and MAX_MEMBERS, and for more than SLACK bytes after the end.

    `encoding` is the Content-Encoding header, `received` and `given` count bytes on either side.
    """

    def __init__(self, encoding: str, max_bytes: int) -> None:
        self.received = 0
        self.given = 0
        self._max_bytes = max_bytes
        names = [name.strip().lower() for name in encoding.split(",") if name.strip().lower() not in ("", "identity")]
        if len(names) > 1 or (names and names[0] not in ("gzip", "x-gzip", "deflate", "br", "zstd")):
            raise BodyError(f"the body is encoded as {encoding[:40]!r}, which was not asked for")
        self._kind = names[0].removeprefix("x-") if names else None
        self._stream: _Stream | None = None
        self._padding = 0
        self._members = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The plain bytes of the next chunk, in pieces of bounded size."""
        self.received += len(chunk)
        if self.received > self._max_bytes + SLACK:
            raise BodyError(f"the body is larger than {self._max_bytes:,} bytes")
        if self._kind is None:
            yield self._counted(chunk)
            return
        while chunk:
            if self._stream is None:
                self._stream = self._new_stream(chunk)
            elif self._stream.eof:
                # A further gzip member or zstd frame may follow; anything else after the end is padding that some servers send.
                if self._padding or self._kind not in MAGIC or not chunk.startswith(MAGIC[self._kind]):
                    self._padding += len(chunk)
                    if self._padding > SLACK:
                        raise BodyError("the body is followed by what does not belong to it")
                    return
                self._stream = self._new_stream(chunk)
            try:
                for piece in self._stream.give(chunk):
                    yield self._counted(piece)
            except (zlib.error, zstd.ZstdError, brotli.error) as error:
                raise BodyError(f"the {self._kind} body is damaged") from error
            chunk = self._stream.unused

    def finish(self) -> None:
        """To be called after the last chunk. Raises BodyError if the stream has not come to its end."""
        if self._kind is not None and self.received and (self._stream is None or not self._stream.eof):
            raise BodyError(f"the {self._kind} body is cut short")

    def _new_stream(self, start: bytes) -> _Stream:
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BodyError(f"the body has more than {MAX_MEMBERS:,} {self._kind} members")
        if self._kind == "gzip":
            return _Zlib(31)
        if self._kind == "br":
            return _Brotli()
        if self._kind == "zstd":
            return _Zstd()
        # "deflate" is zlib by RFC 9110, but raw from some servers; a zlib stream begins with method 8.
        return _Zlib(15 if start[0] & 0x0F == 8 else -15)

    def _counted(self, piece: bytes) -> bytes:
        self.given += len(piece)
        if self.given > self._max_bytes:
            raise BodyError(f"the body is larger than {self._max_bytes:,} bytes")
        if self.given > RATIO_FROM and self.given > MAX_RATIO * self.received:
            raise BodyError(f"the body is packed more than {MAX_RATIO} times, as no real one is")
        return piece


class _Zlib:
    """gzip, zlib or raw deflate, as `wbits` says."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits=wbits)

    @property
    def eof(self) -> bool:
        """Whether the stream has come to its end."""
        return self._inner.eof

    @property
    def unused(self) -> bytes:
        """What came after the end."""
        return self._inner.unused_data

    def give(self, chunk: bytes) -> Iterator[bytes]:
        """The plain bytes of a chunk, in pieces."""
        while chunk and not self.eof:
            if piece := self._inner.decompress(chunk, PIECE):
                yield piece
            chunk = self._inner.unconsumed_tail


class _Brotli:
    """Brotli (RFC 7932). Bytes after the end are an error of its own, so that none are ever unused."""

    unused = b""

    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        """Whether the stream has come to its end."""
        return bool(self._inner.is_finished())

    def give(self, chunk: bytes) -> Iterator[bytes]:
        """The plain bytes of a chunk, in pieces (of up to PIECE and a block more)."""
        if piece := self._inner.process(chunk, output_buffer_limit=PIECE):
            yield piece
        while not self.eof and not self._inner.can_accept_more_data():
            yield self._inner.process(b"", output_buffer_limit=PIECE)


class _Zstd:
    """Zstandard (RFC 8878), one frame."""

    def __init__(self) -> None:
        self._inner = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})

    @property
    def eof(self) -> bool:
        """Whether the frame has come to its end."""
        return self._inner.eof

    @property
    def unused(self) -> bytes:
        """What came after the end."""
        return self._inner.unused_data if self.eof else b""

    def give(self, chunk: bytes) -> Iterator[bytes]:
        """The plain bytes of a chunk, in pieces."""
        while True:
            if piece := self._inner.decompress(chunk, PIECE):
                yield piece
            if self.eof or self._inner.needs_input:
                return
            chunk = b""


_Stream = _Zlib | _Brotli | _Zstd
