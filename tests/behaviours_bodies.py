"""Bodies: packed in every way that was asked for, cut short, damaged, padded, empty, or no feed at all."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable

import brotli
from behaviours import HTML, Behaviour, Look, feed_of, ok, status
from scripted_server import Reply

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FEED = feed_of(1, 2, 3)


def _raw_deflate(plain: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(plain) + packer.flush()


HALF = len(FEED) // 2
PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("", lambda plain: plain),
    "identity": ("identity", lambda plain: plain),
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "GZIP in capitals": ("GZIP", gzip.compress),
    "gzip in two members": ("gzip", lambda plain: gzip.compress(plain[:HALF]) + gzip.compress(plain[HALF:])),
    "gzip with padding": ("gzip", lambda plain: gzip.compress(plain) + b"\0" * 64),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", _raw_deflate),
    "brotli": ("br", brotli.compress),
    "brotli of low effort": ("br", lambda plain: brotli.compress(plain, quality=0)),
    "zstd": ("zstd", zstd.compress),
    "zstd of high effort": ("zstd", lambda plain: zstd.compress(plain, level=19)),
    "zstd in two frames": ("zstd", lambda plain: zstd.compress(plain[:HALF]) + zstd.compress(plain[HALF:])),
}
FRAMES = {"of stated length": {}, "in chunks": {"chunked": True}, "to the end of the connection": {"framed": False}}


def _packed(name: str, frame: str) -> Behaviour:
    encoding, pack = PACKERS[name]
    headers = (("ETag", '"a"'), *([("Content-Encoding", encoding)] if encoding else []))
    reply = Reply(pack(FEED), headers=headers, **FRAMES[frame])
    return Behaviour(f"{name} {frame}", [Look(reply, "new", new=3, stored={"etag": '"a"', "title": "Harbour News"})])


def _bad(name: str, encoding: str, body: bytes, reason: str, **frame: bool) -> Behaviour:
    """Such a body changes nothing, and the next good one is taken."""
    headers = (("ETag", '"bad"'), *([("Content-Encoding", encoding)] if encoding else []))
    looks = [
        Look(ok(1, headers=[("ETag", '"a"')]), "new", new=1, stored={"etag": '"a"'}),
        Look(Reply(body, headers=headers, **frame), "failed", reason, "soft", 1_800, stored={"etag": '"a"', "failures": 1}),
        Look(Reply(FEED), "new", new=2, sends={"if-none-match": b'"a"'}, stored={"etag": None, "failures": 0}),
    ]
    return Behaviour(name, looks)


CODECS = {"gzip": gzip.compress(FEED), "deflate": zlib.compress(FEED), "br": brotli.compress(FEED), "zstd": zstd.compress(FEED)}
BOMB = bytes(60_000_000)
BOMBS = {"gzip": gzip.compress(BOMB), "deflate": zlib.compress(BOMB), "br": brotli.compress(BOMB, quality=5), "zstd": zstd.compress(BOMB)}
UTF16 = FEED.decode().replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-16"?>').encode("utf-16")
ROOT_END = FEED.rindex(b"</channel>")
JSON = b'{"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": []'

BODIES = [
    *(_packed(name, frame) for name in PACKERS for frame in FRAMES),
    *(_bad(f"{codec} cut in the middle", codec, packed[: len(packed) // 2], "cut short") for codec, packed in CODECS.items()),
    *(_bad(f"{codec} without its last byte", codec, packed[:-1], "cut short") for codec, packed in CODECS.items()),
    *(_bad(f"{codec} cut, in whole chunks", codec, packed[:-9], "cut short", chunked=True) for codec, packed in CODECS.items()),
    *(_bad(f"{codec} cut by the connection's end", codec, packed[:-9], "cut short", framed=False) for codec, packed in CODECS.items()),
    *(_bad(f"{codec} that is none", codec, b"\x01\x02\x03 not packed at all " * 9, "damaged") for codec in ("gzip", "br", "zstd")),
    *(
        _bad(f"{codec} with bytes turned round", codec, packed[:20] + packed[20:60][::-1] + packed[60:], "")
        for codec, packed in CODECS.items()
    ),
    *(_bad(f"{codec} bomb", codec, bomb, "times, as no real one is") for codec, bomb in BOMBS.items()),
    _bad("gzip without its checksum", "gzip", CODECS["gzip"][:-8], "cut short"),
    _bad("gzip with a wrong checksum", "gzip", CODECS["gzip"][:-8] + b"12345678", "damaged"),
    _bad("gzip and 100 kB of something", "gzip", CODECS["gzip"] + b"x" * 100_000, "does not belong to it"),
    _bad("gzip in 2,000 empty members", "gzip", gzip.compress(b"") * 2_000, "members"),
    _bad("zstd in 2,000 empty frames", "zstd", zstd.compress(b"") * 2_000, "members"),
    *(
        _bad(f"packed as {encoding}, which was not asked for", encoding, FEED, "not asked for")
        for encoding in ("compress", "bzip2", "gzip, gzip", "br, gzip", "aes128gcm", "snappy", "lzma", "dcb")
    ),
    *(
        _bad(f"{name}, of stated length", "", body, reason)
        for name, body, reason in (
            ("nothing", b"", "empty"),
            ("blanks", b" \n\n ", "empty"),
            ("a feed that breaks off within an entry", FEED[: HALF + 40], "breaks off"),
            ("a feed without its last tags", FEED[:ROOT_END], "breaks off"),
            ("a feed without its last tag", FEED[: FEED.rindex(b"</rss>")], "breaks off"),
            ("a JSON Feed that breaks off", JSON, "breaks off"),
            ("random bytes", bytes(range(256)) * 9, "neither"),
            ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(300), "neither"),
            ("text", b"Service will be back soon.", "neither"),
            ("JSON that is no feed", b'{"error": "no"}', "no JSON Feed"),
        )
    ),
    *(
        _bad(f"a feed cut by the connection's end at byte {at}", "", FEED[:at], "cut short", framed=False)
        for at in (60, 200, 1_000, HALF, ROOT_END, len(FEED) - 3)
    ),
    *(
        Behaviour(f"a feed cut before its stated end at byte {at}", [Look(Reply(FEED, cut=at), "failed", "cut short", "soft", 1_800)])
        for at in (0, 1, 100, HALF, len(FEED) - 1)
    ),
    Behaviour(
        "a feed that never ends as it should is taken as it is at the fourth look, without validators",
        [
            *(
                Look(
                    Reply(FEED[:ROOT_END], headers=(("ETag", '"x"'),)), "failed", "breaks off", "soft", stored={"failures": n, "etag": None}
                )
                for n in (1, 2, 3)
            ),
            Look(Reply(FEED[:ROOT_END], headers=(("ETag", '"x"'),)), "new", new=3, stored={"failures": 0, "etag": None, "body_hash": None}),
        ],
    ),
    Behaviour("a remark after the feed's end", [Look(Reply(FEED + b"\n<!-- served in 12 ms -->\n"), "new", new=3)]),
    Behaviour("a script after the feed's end", [Look(Reply(FEED + b"<script>count()</script>"), "new", new=3)]),
    Behaviour("blanks before the feed", [Look(Reply(b"\n\n  " + FEED), "new", new=3)]),
    Behaviour("a byte order mark before the feed", [Look(Reply(b"\xef\xbb\xbf" + FEED), "new", new=3)]),
    Behaviour("a feed in UTF-16", [Look(Reply(UTF16), "new", new=3)]),
    Behaviour("a feed in UTF-16 to the connection's end", [Look(Reply(UTF16, framed=False), "new", new=3)]),
    Behaviour("a feed without entries", [Look(Reply(feed_of()), "nothing new", new=0, wait=1_800)]),
    Behaviour("a feed that is one empty element", [Look(Reply(b'<?xml version="1.0"?><rss version="2.0"/>'), "nothing new", new=0)]),
    Behaviour(
        "a JSON Feed",
        [Look(Reply(JSON + b"}", headers=(("Content-Type", "application/feed+json"),)), "nothing new", stored={"title": "T"})],
    ),
    Behaviour(
        "a length that is too great, stated",
        [Look(Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n"), "failed", "larger", "soft")],
    ),
    Behaviour("a body that is too large, unstated", [Look(Reply(FEED + b" " * 10_200_000, framed=False), "failed", "larger", "soft")]),
    Behaviour("no answer at all", [Look(Reply(raw=b""), "failed", "without an answer", "soft")]),
    Behaviour("half a header", [Look(Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Le"), "failed", "without an answer", "soft")]),
    Behaviour("no HTTP", [Look(Reply(raw=b"220 ready\r\n\r\n"), "failed", "no valid HTTP", "soft")]),
    Behaviour("two lengths that differ", [Look(Reply(FEED, headers=(("Content-Length", "7"),)), "failed", "no valid HTTP", "soft")]),
    Behaviour("an error page that never ends", [Look(Reply(b"<p>", status="500 Oops", hang=True, cut=2), "failed", "500", "soft")]),
    Behaviour("a page in a cut", [Look(status("200 OK", HTML, b"<html><p>Wait"), "failed", "HTML page", "hard")]),
]
