"""Retry-After in all its forms: heeded within a minute and a week on 429 and 503, for all feeds of the host; ignored elsewhere."""

from __future__ import annotations

from behaviours import Behaviour, Look, moved, ok, status

# The clock of the tests stands at Mon, 02 Mar 2026 12:00:00 GMT. Name, header, the server's Date, seconds that are waited at least;
# a first failure waits half an hour anyway. None: the header cannot be read, so that it is a failure like others.
FORMS: list[tuple[str, str, str | None, int | None]] = [
    ("of 0", "0", None, 1_800),
    ("of a second", "1", None, 1_800),
    ("of two minutes", "120", None, 1_800),
    ("of half an hour and a second", "1801", None, 1_801),
    ("of an hour", "3600", None, 3_600),
    ("of a day", "86400", None, 86_400),
    ("of three days", "259200", None, 259_200),
    ("of a week", "604800", None, 604_800),
    ("of a month is a week", "2592000", None, 604_800),
    ("of ages is a week", "999999999999999999", None, 604_800),
    ("with blanks around", "  7200  ", None, 7_200),
    ("with zeros before", "0007200", None, 7_200),
    ("by date", "Mon, 02 Mar 2026 14:00:00 GMT", None, 7_200),
    ("by date and the server's own clock", "Mon, 02 Mar 2026 10:00:00 GMT", "Mon, 02 Mar 2026 08:00:00 GMT", 7_200),
    ("by date of a server years behind", "Sun, 01 Jan 2006 02:00:00 GMT", "Sun, 01 Jan 2006 00:00:00 GMT", 7_200),
    ("by date in the form of RFC 850", "Monday, 02-Mar-26 14:00:00 GMT", None, 7_200),
    ("by date in the form of asctime", "Mon Mar  2 14:00:00 2026", None, 7_200),
    ("by date with a zone in figures", "Mon, 02 Mar 2026 16:00:00 +0200", None, 7_200),
    ("by date that is over", "Mon, 02 Mar 2026 11:00:00 GMT", None, 1_800),
    ("by date far ahead is a week", "Fri, 01 Jan 2100 00:00:00 GMT", None, 604_800),
    ("below nothing", "-5", None, None),
    ("with a fraction", "7200.5", None, None),
    ("in words", "later", None, None),
    ("twice in one", "7200, 7200", None, None),
    ("with a unit", "7200s", None, None),
    ("of nothing", "", None, None),
    ("in ISO form", "2026-03-02T14:00:00Z", None, None),
]


def _asked_to_wait(line: str, name: str, header: str, date: str | None, wait: int | None) -> Behaviour:
    headers = [("Retry-After", header), *([("Date", date)] if date else [])]
    title = f"{line[:3]} with a Retry-After {name}"
    if wait is None:
        look = Look(status(line, headers), "failed", line[:3], "temporary", 1_800, stored={"failures": 1, "asked_to_wait_until": None})
        return Behaviour(title, [look, Look(ok(1), "new", stored={"failures": 0})])
    looks = [
        Look(status(line, headers), "waiting", "asks to be left alone", "temporary", wait, stored={"failures": 1}),
        Look(ok(1), "new", new=1, stored={"failures": 0, "asked_to_wait_until": None}),
    ]
    return Behaviour(title, looks)


def _ignored(line: str, grade: str, wait: int) -> Behaviour:
    look = Look(status(line, [("Retry-After", "40000")]), "failed", line[:3], grade, wait, stored={"asked_to_wait_until": None})
    return Behaviour(f"{line[:3]} with a Retry-After of hours", [look])


BUSY = status("503 Unavailable", [("Retry-After", "7200")])
RETRIES = [
    *(_asked_to_wait(line, *form) for form in FORMS for line in ("429 Too Many Requests", "503 Service Unavailable")),
    *(_ignored(line, "soft", 1_800) for line in ("500 Oops", "502 Bad Gateway", "504 Gateway Timeout", "202 Accepted")),
    *(_ignored(line, "hard", 3_600) for line in ("401 Unauthorized", "403 Forbidden", "404 Not Found", "413 Too Large")),
    Behaviour(
        "a Retry-After beside the feed means nothing",
        [Look(ok(1, headers=[("Retry-After", "40000")]), "new", wait=1_800, stored={"asked_to_wait_until": None})],
    ),
    Behaviour(
        "a host that asked to wait is not asked before, and that is no failure",
        [
            Look(BUSY, "waiting", None, "temporary", 7_200, stored={"failures": 1}),
            Look(ok(1), "waiting", "asks to be left alone", None, 3_600, asks=(), after=3_600, stored={"failures": 1}),
            Look(ok(1), "new", after=3_600, stored={"failures": 0}),
        ],
    ),
    Behaviour(
        "the same wait again and again grows with the failures",
        [
            Look(status("429 Slow Down", [("Retry-After", "60")]), "waiting", None, "temporary", 1_800, stored={"failures": 1}),
            Look(status("429 Slow Down", [("Retry-After", "60")]), "waiting", None, "temporary", 3_600, stored={"failures": 2}),
            Look(status("429 Slow Down", [("Retry-After", "60")]), "waiting", None, "temporary", 7_200, stored={"failures": 3}),
            Look(status("429 Slow Down", [("Retry-After", "60")]), "waiting", None, "temporary", 7_200, stored={"failures": 4}),
        ],
    ),
    Behaviour(
        "where a redirect leads asks to wait: that host is left alone, and the feed comes later",
        [
            Look(
                {"/feed": moved("302 Found", "{other}/real"), "/real": BUSY},
                "waiting",
                "asks to be left alone",
                "temporary",
                7_200,
                asks=("/feed", "other.example/real"),
                stored={"url": "{base}/feed"},
            ),
            Look(
                {"/feed": moved("302 Found", "{other}/real"), "/real": ok(1)},
                "waiting",
                None,
                None,
                asks=("/feed",),
                after=600,
                stored={"failures": 1},
            ),
        ],
    ),
    Behaviour(
        "validators outlive a wait",
        [
            Look(ok(1, headers=[("ETag", '"a"')]), "new"),
            Look(BUSY, "waiting", None, "temporary", stored={"etag": '"a"'}, sends={"if-none-match": b'"a"'}),
            Look(status("304 Not Modified"), "not modified", sends={"if-none-match": b'"a"'}),
        ],
    ),
]
