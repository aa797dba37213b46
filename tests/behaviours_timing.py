"""When the next look comes: what feeds and servers ask for only ever makes it later; what is new makes it sooner."""

from __future__ import annotations

from behaviours import NOT_MODIFIED, Behaviour, Headers, Look, ok
from scripted_server import Reply

START, DAY = 1_800, 86_400
NOON = "Mon, 02 Mar 2026 12:00:00 GMT"
# name, headers, seconds to the look after the first (which comes after half an hour where nobody asks for more)
FRESH: list[tuple[str, Headers, int]] = [
    ("max-age of an hour", [("Cache-Control", "max-age=3600")], 3_600),
    ("max-age less than the interval", [("Cache-Control", "max-age=60")], START),
    ("max-age of 0", [("Cache-Control", "max-age=0")], START),
    ("max-age of a month is a day", [("Cache-Control", "max-age=2592000")], DAY),
    ("max-age beyond all bounds", [("Cache-Control", "max-age=99999999999999")], DAY),
    ("max-age below nothing", [("Cache-Control", "max-age=-1")], START),
    ("max-age in quotes", [("Cache-Control", 'max-age="7200"')], 7_200),
    ("max-age in capitals, among others", [("Cache-Control", "public, MAX-AGE=7200, must-revalidate")], 7_200),
    ("max-age for shared caches only", [("Cache-Control", "s-maxage=7200")], START),
    ("max-age with no-cache", [("Cache-Control", "no-cache, max-age=7200")], START),
    ("max-age with no-store", [("Cache-Control", "max-age=7200, no-store")], START),
    ("max-age less Age", [("Cache-Control", "max-age=7200"), ("Age", "3600")], 3_600),
    ("max-age less a greater Age", [("Cache-Control", "max-age=7200"), ("Age", "9000")], START),
    ("max-age and an Age that is none", [("Cache-Control", "max-age=7200"), ("Age", "old")], 7_200),
    ("max-age before Expires", [("Cache-Control", "max-age=3600"), ("Expires", "Mon, 02 Mar 2026 20:00:00 GMT"), ("Date", NOON)], 3_600),
    ("stale-while-revalidate is no max-age", [("Cache-Control", "stale-while-revalidate=7200")], START),
    ("Expires less Date", [("Expires", "Mon, 02 Mar 2026 14:00:00 GMT"), ("Date", NOON)], 7_200),
    ("Expires less Date less Age", [("Expires", "Mon, 02 Mar 2026 14:00:00 GMT"), ("Date", NOON), ("Age", "3600")], 3_600),
    ("Expires by a clock a day ahead", [("Expires", "Tue, 03 Mar 2026 14:00:00 GMT"), ("Date", "Tue, 03 Mar 2026 12:00:00 GMT")], 7_200),
    ("Expires by a clock years behind", [("Expires", "Thu, 01 Jan 2004 02:00:00 GMT"), ("Date", "Thu, 01 Jan 2004 00:00:00 GMT")], 7_200),
    ("Expires without Date", [("Expires", "Mon, 02 Mar 2026 14:00:00 GMT")], START),
    ("Expires that is over", [("Expires", "Thu, 19 Nov 1981 08:52:00 GMT"), ("Date", NOON)], START),
    ("Expires of 0", [("Expires", "0"), ("Date", NOON)], START),
    ("Expires of -1", [("Expires", "-1"), ("Date", NOON)], START),
    ("Expires in a hundred years", [("Expires", "Fri, 01 Jan 2126 00:00:00 GMT"), ("Date", NOON)], DAY),
    ("Pragma alone", [("Pragma", "no-cache")], START),
]
SYNDICATION = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'


def _period(period: str, frequency: str = "1") -> str:
    return f"<sy:updatePeriod {SYNDICATION}>{period}</sy:updatePeriod><sy:updateFrequency {SYNDICATION}>{frequency}</sy:updateFrequency>"


# name, head of the feed, seconds to the next look
STATED: list[tuple[str, str, int]] = [
    ("a ttl of two hours", "<ttl>120</ttl>", 7_200),
    ("a ttl of a minute", "<ttl>1</ttl>", START),
    ("a ttl of 0", "<ttl>0</ttl>", START),
    ("a ttl with blanks", "<ttl> 120 </ttl>", 7_200),
    ("a ttl of a month is a day", "<ttl>43200</ttl>", DAY),
    ("a ttl in words", "<ttl>often</ttl>", START),
    ("a ttl below nothing", "<ttl>-60</ttl>", START),
    ("a ttl of nothing", "<ttl/>", START),
    ("updated hourly", _period("hourly"), 3_600),
    ("updated twice a day", _period("daily", "2"), 43_200),
    ("updated daily", _period("daily"), DAY),
    ("updated weekly is a day", _period("weekly"), DAY),
    ("updated yearly is a day", _period("yearly"), DAY),
    ("updated four times an hour", _period("hourly", "4"), START),
    ("the longest of ttl and period", "<ttl>180</ttl>" + _period("hourly"), 10_800),
]


def _hours(*hours: int) -> str:
    return f"<skipHours>{''.join(f'<hour>{hour}</hour>' for hour in hours)}</skipHours>"


def _days(*days: str) -> str:
    return f"<skipDays>{''.join(f'<day>{day}</day>' for day in days)}</skipDays>"


# It is Monday noon: the look after half an hour falls into the hour of 12.
SKIPS: list[tuple[str, str, int]] = [
    ("the hour of noon", _hours(12), 3_600),
    ("four hours of the afternoon", _hours(12, 13, 14, 15), 14_400),
    ("hours that are not now", _hours(0, 1, 2, 3), START),
    ("24 hours of the day: none is left, so none is skipped", _hours(*range(24)), START),
    ("the hour 24, which is 0", _hours(24), START),
    ("hours that are none", _hours(99, -1), START),
    ("Monday", _days("Monday"), 43_200),
    ("Monday and Tuesday", _days("Monday", "Tuesday"), 43_200 + DAY),
    ("Tuesday", _days("Tuesday"), START),
    ("Sunday and Saturday", _days("Sunday", "Saturday"), START),
    ("all days: none is left", _days("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), START),
    ("Monday, and the first hours of the day", _days("Monday") + _hours(0, 1), 43_200 + 7_200),
]
# interval before, entries known before, entries then, seconds to the next look
PACE: list[tuple[str, int, tuple[int, ...], tuple[int, ...], int]] = [
    ("nothing new: half as long again", 3_600, (1, 2, 3), (1, 2, 3, 3), 5_400),
    ("one of many new: later", 3_600, tuple(range(1, 20)), tuple(range(20)), 5_400),
    ("two of many new: the same", 3_600, tuple(range(2, 20)), tuple(range(20)), 3_600),
    ("four of many new: in half the time", 3_600, tuple(range(4, 20)), tuple(range(20)), 1_800),
    ("most new: in a quarter", 7_200, (19,), tuple(range(20)), 1_800),
    ("never more often than every five minutes", 300, (19,), tuple(range(20)), 300),
    ("never less often than daily", 80_000, (1,), (1, 1), DAY),
]


def _paced(name: str, interval: int, before: tuple[int, ...], then: tuple[int, ...], wait: int) -> Behaviour:
    looks = [Look(ok(*before), "new"), Look(ok(*then), "new" if set(then) - set(before) else "nothing new", wait=wait)]
    return Behaviour(f"pace: {name}", [looks[0], looks[1]], {"interval": round(interval / _first_step(before))})


def _first_step(before: tuple[int, ...]) -> float:
    """What the first look, at which all is new, makes of an interval."""
    aim = max(1.0, min(2.0, 0.2 * len(before)))
    return min(1.5, max(0.25, aim / len(before)))


def _gap(name: str, before: tuple[int, ...], then: tuple[int, ...], gap: bool, wait: int) -> Behaviour:
    looks = [Look(ok(*before), "new"), Look(ok(*then), "new", gap=gap, wait=wait)]
    return Behaviour(f"gap: {name}", looks, {"interval": 20_000})


TIMING = [
    *(Behaviour(f"fresh: {name}", [Look(ok(1, headers=headers), "new", wait=wait)]) for name, headers, wait in FRESH),
    *(
        Behaviour(
            f"fresh, not modified: {name}",
            [
                Look(ok(1, headers=[("ETag", '"a"')]), "new", wait=START),
                Look(Reply(status="304 Not Modified", headers=tuple(headers), framed=False), "not modified", wait=max(wait, 2_700)),
            ],
        )
        for name, headers, wait in FRESH
    ),
    *(Behaviour(f"stated: {name}", [Look(ok(1, head=head), "new", wait=wait)]) for name, head, wait in STATED),
    *(
        Behaviour(
            f"stated and remembered: {name}",
            [
                Look(ok(1, head=head, headers=[("ETag", '"a"')]), "new", wait=wait),
                Look(NOT_MODIFIED, "not modified", wait=min(DAY, wait * 3 // 2)),
            ],
        )
        for name, head, wait in STATED
    ),
    *(Behaviour(f"skipped: {name}", [Look(ok(1, head=head), "new", wait=wait)]) for name, head, wait in SKIPS),
    *(_paced(*case) for case in PACE),
    _gap("a busy feed that shares nothing with before", tuple(range(10)), tuple(range(10, 20)), True, 1_250),
    _gap("one entry shared is enough", tuple(range(10)), tuple(range(9, 19)), False, 1_250),
    _gap("a feed of one entry cannot share any", (1,), (2,), False, 20_000),
    Behaviour("gap: the first look has nothing before it", [Look(ok(1, 2, 3), "new", gap=False, wait=START)]),
    Behaviour(
        "gap: an empty feed that fills has none",
        [Look(Reply(b"<rss><channel><title>T</title></channel></rss>"), "nothing new"), Look(ok(1, 2, 3), "new")],
    ),
    Behaviour(
        "what the server asked for is where later looks grow from",
        [
            Look(ok(1, headers=[("ETag", '"a"'), ("Cache-Control", "max-age=40000")]), "new", wait=40_000),
            Look(NOT_MODIFIED, "not modified", wait=60_000),
        ],
    ),
    Behaviour(
        "after a failure no look comes sooner than the feed wants",
        [Look(ok(1, head="<ttl>1000</ttl>"), "new", wait=60_000), Look({}, "failed", "404", "hard", 60_000)],
    ),
]
