"""Packed bodies are taken apart piece by piece, within bounds."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.polling.inflate import PIECE, BodyError, Inflater


def unpacked(inflater: Inflater, *chunks: bytes) -> bytes:
    return b"".join(piece for chunk in chunks for piece in inflater.feed(chunk))


def test_a_bomb_is_counted_while_it_is_unpacked():
    inflater = Inflater("gzip", max_bytes=500_000)
    pieces: list[bytes] = []
    with pytest.raises(BodyError, match="larger than 500,000 bytes"):
        pieces.extend(inflater.feed(gzip.compress(bytes(100_000_000), 9)))
    assert inflater.given < 500_000 + PIECE + 1


@given(st.binary(max_size=3_000), st.lists(st.integers(1, 400), min_size=1), st.sampled_from(["gzip", "deflate", ""]))
def test_unpacking_does_not_depend_on_how_the_bytes_arrive(body, sizes, encoding):
    packed = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "": body}[encoding]
    inflater, out, at = Inflater(encoding, 10_000), b"", 0
    while at < len(packed):
        size = sizes[at % len(sizes)]
        out += b"".join(inflater.feed(packed[at : at + size]))
        at += size
    inflater.finish()
    assert out == body


# Named, for a name made of the bytes would hold the second they were packed in.
@pytest.mark.parametrize(("piece", "reason"), [
    pytest.param(b"\0" * 10_000, "followed by what does not belong to it", id="zeros"),
    pytest.param(gzip.compress(b""), "gzip members", id="empty members"),
    pytest.param(gzip.compress(bytes(range(256)) * 40, 0), "larger than 500,000 bytes", id="full members"),
])  # fmt: skip
def test_what_follows_a_packed_body_is_bounded_however_little_it_gives(piece, reason):
    with pytest.raises(BodyError, match=reason):
        unpacked(Inflater("gzip", max_bytes=500_000), gzip.compress(b"news"), *[piece] * (5_000_000 // len(piece)))


def test_bytes_received_are_bounded_even_if_they_unpack_to_nothing():
    empty_blocks = b"\x00\x00\x00\xff\xff" * 1_000  # deflate's stored block of length 0
    inflater = Inflater("deflate", max_bytes=100_000)
    with pytest.raises(BodyError, match="larger than 100,000 bytes"):
        unpacked(inflater, *[empty_blocks] * 1_000)
    assert inflater.given == 0


def test_a_little_padding_does_no_harm():
    assert unpacked(Inflater("gzip", max_bytes=500_000), gzip.compress(b"news") + b"\0" * 500, b"\0" * 500) == b"news"
