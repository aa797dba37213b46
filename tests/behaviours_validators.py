"""Validators: kept and sent back byte for byte, never sent where they do not belong, and not trusted for ever."""

from __future__ import annotations

from behaviours import NOT_MODIFIED, Behaviour, Headers, Look, entries, feed_of, ok, status
from polling_rig import rss
from scripted_server import Reply

WEEK = 604_800
# name, header as sent by the server, whether it can be sent back
ETAGS: list[tuple[str, bytes, bool]] = [
    ("strong", b'"abc"', True),
    ("weak", b'W/"abc"', True),
    ("lower-case weak", b'w/"abc"', True),
    ("without quotes", b"abc", True),
    ("with one quote", b'"abc', True),
    ("with blanks inside", b'"a b  c"', True),
    ("empty within quotes", b'""', True),
    ("with a backslash", b'"a\\"b"', True),
    ("in UTF-8", '"café—été"'.encode(), True),
    ("with a comma", b'"a", "b"', True),
    ("with -gzip at the end", b'"abc-gzip"', True),
    ("a star", b"*", True),
    ("of 1,000 bytes", b'"' + b"x" * 998 + b'"', True),
    ("of 1,001 bytes", b'"' + b"x" * 999 + b'"', False),
    ("in Latin-1", b'"caf\xe9"', False),
]
DATES: list[tuple[str, bytes]] = [
    ("as it should be", b"Mon, 02 Mar 2026 11:00:00 GMT"),
    ("with a zone in figures", b"Mon, 02 Mar 2026 9:00:00 +0000"),
    ("in the form of RFC 850", b"Monday, 02-Mar-26 11:00:00 GMT"),
    ("in the form of asctime", b"Mon Mar  2 11:00:00 2026"),
    ("in the future", b"Fri, 01 Jan 2100 00:00:00 GMT"),
    ("of 1970", b"Thu, 01 Jan 1970 00:00:00 GMT"),
    ("that is none", b"yesterday"),
    ("in ISO form", b"2026-03-02T11:00:00Z"),
]


def _unmodified(name: str, headers: Headers, sends: dict[str, bytes | None], stored: dict[str, str]) -> Behaviour:
    looks = [
        Look(ok(1, headers=headers), "new", new=1, sends={"if-none-match": None, "if-modified-since": None}, stored=stored),
        Look(NOT_MODIFIED, "not modified", sends=sends, stored=stored | {"failures": 0}, wait=2_700),
        Look(NOT_MODIFIED, "not modified", sends=sends, stored=stored, wait=4_050),
    ]
    return Behaviour(name, looks)


def _unsendable(name: str, tag: bytes) -> Behaviour:
    kept = {"etag": tag.decode("latin-1")}
    looks = [
        Look(ok(1, headers=[("ETag", tag)]), "new", stored=kept),
        Look(ok(1, headers=[("ETag", tag)]), "nothing new", sends={"if-none-match": None}, stored=kept, wait=2_700),
    ]
    return Behaviour(f"an ETag {name} is not sent altered", looks)


def _changed(name: str, tag: bytes) -> Behaviour:
    looks = [
        Look(ok(1, headers=[("ETag", tag)]), "new", new=1),
        Look(ok(2, 1, headers=[("ETag", b'"next"')]), "new", new=1, sends={"if-none-match": tag}, stored={"etag": '"next"'}),
        Look(ok(2, 1), "nothing new", sends={"if-none-match": b'"next"'}, stored={"etag": None}),
        Look(ok(2, 1), "nothing new", sends={"if-none-match": None}),
    ]
    return Behaviour(f"an ETag {name} gives way to the next", looks)


DELTA = Reply(rss(*entries(2)), "226 IM Used", headers=(("IM", "feed"), ("ETag", '"b"')))
VALIDATORS = [
    *(
        _unmodified(f"an ETag {name}", [("ETag", tag)], {"if-none-match": tag, "a-im": b"feed"}, {"etag": tag.decode("latin-1")})
        for name, tag, sent in ETAGS
        if sent
    ),
    *(_unsendable(name, tag) for name, tag, sent in ETAGS if not sent),
    *(_changed(name, tag) for name, tag, sent in ETAGS if sent),
    *(
        _unmodified(
            f"a Last-Modified {name}",
            [("Last-Modified", when)],
            {"if-modified-since": when, "if-none-match": None, "a-im": None},
            {"last_modified": when.decode()},
        )
        for name, when in DATES
    ),
    *(
        _unmodified(
            f"an ETag and a Last-Modified {name}",
            [("ETag", '"both"'), ("Last-Modified", when)],
            {"if-modified-since": when, "if-none-match": b'"both"'},
            {"last_modified": when.decode(), "etag": '"both"'},
        )
        for name, when in DATES
    ),
    Behaviour(
        "no validators, and the same body again",
        [
            Look(ok(1), "new", new=1),
            Look(ok(1), "nothing new", wait=2_700, sends={"if-none-match": None, "if-modified-since": None}),
            Look(ok(2, 1), "new", new=1),
        ],
    ),
    Behaviour("an empty ETag is none", [Look(ok(1, headers=[("ETag", "")]), "new", stored={"etag": None})]),
    Behaviour(
        "after eight days everything is asked for, whatever the server says is unmodified",
        [
            Look(ok(1, headers=[("ETag", '"stuck"')]), "new"),
            Look(NOT_MODIFIED, "not modified", after=WEEK, sends={"if-none-match": b'"stuck"'}),
            Look(ok(2, 1, headers=[("ETag", '"stuck"')]), "new", new=1, after=90_000, sends={"if-none-match": None, "a-im": None}),
            Look(NOT_MODIFIED, "not modified", sends={"if-none-match": b'"stuck"'}),
        ],
    ),
    Behaviour(
        "a server that says unmodified even when everything is asked for fails",
        [
            Look(ok(1, headers=[("ETag", '"stuck"')]), "new"),
            Look(NOT_MODIFIED, "failed", "304", "soft", after=9 * 86_400, sends={"if-none-match": None}, stored={"etag": '"stuck"'}),
        ],
    ),
    Behaviour(
        "only what is new since the validator (226)",
        [
            Look(ok(1, headers=[("ETag", '"a"')]), "new", new=1),
            Look(DELTA, "new", new=1, sends={"a-im": b"feed", "if-none-match": b'"a"'}, stored={"etag": '"b"', "body_hash": None}),
            Look(NOT_MODIFIED, "not modified", sends={"if-none-match": b'"b"'}),
            Look(ok(1, headers=[("ETag", '"c"')]), "nothing new", new=0, after=9 * 86_400, sends={"if-none-match": None}),
        ],
    ),
    Behaviour(
        "226 that shares nothing with the looks before is no gap",
        [
            Look(ok(1, 2, 3, headers=[("ETag", '"a"')]), "new", new=3),
            Look(Reply(feed_of(4, 5, 6), "226 IM Used", headers=(("IM", "feed"), ("ETag", '"b"'))), "new", new=3, gap=False),
        ],
    ),
    Behaviour(
        "226 that does not say what was done to it",
        [
            Look(ok(1, headers=[("ETag", '"a"')]), "new"),
            Look(Reply(feed_of(2), "226 IM Used"), "failed", "226", "soft", stored={"etag": '"a"'}),
        ],
    ),
    Behaviour("226 though nothing was asked for that way", [Look(DELTA, "failed", "226", "soft", stored={"etag": None})]),
    Behaviour(
        "226 of another kind",
        [
            Look(ok(1, headers=[("ETag", '"a"')]), "new"),
            Look(Reply(feed_of(2), "226 IM Used", headers=(("IM", "vcdiff"),)), "failed", "226", "soft"),
        ],
    ),
    Behaviour(
        "a validator of a failed body is not kept",
        [
            Look(ok(1, headers=[("ETag", '"a"')]), "new"),
            Look(ok(2, 1, headers=[("ETag", '"b"')], cut=300), "failed", "cut short", "soft", stored={"etag": '"a"'}),
            Look(ok(2, 1, headers=[("ETag", '"b"')]), "new", new=1, sends={"if-none-match": b'"a"'}, stored={"etag": '"b"'}),
        ],
    ),
    Behaviour(
        "a cookie that is set is not sent back",
        [
            Look(ok(1, headers=[("Set-Cookie", "id=1; Path=/")]), "new", sends={"cookie": None}),
            Look(ok(1, headers=[("Set-Cookie", "id=2; Path=/")]), "nothing new", sends={"cookie": None, "referer": None}),
        ],
    ),
    Behaviour(
        "validators are not changed by an error that has its own",
        [
            Look(ok(1, headers=[("ETag", '"a"')]), "new"),
            Look(status("404 Not Found", [("ETag", '"404"')]), "failed", None, "hard", stored={"etag": '"a"'}),
        ],
    ),
]
