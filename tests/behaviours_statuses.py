"""Statuses: which failures may pass, which somebody has to mend, and that no validator is lost or won by them."""

from __future__ import annotations

from behaviours import NOT_MODIFIED, Behaviour, Look, ok, status

# status line, grade of the failure; a first failure is tried again after half an hour, one that has to be mended after an hour
GRADES = [
    ("201 Created", "soft"),
    ("202 Accepted", "soft"),
    ("203 Non-Authoritative Information", "soft"),
    ("204 No Content", "soft"),
    ("205 Reset Content", "soft"),
    ("206 Partial Content", "soft"),
    ("207 Multi-Status", "soft"),
    ("208 Already Reported", "soft"),
    ("226 IM Used", "soft"),
    ("299 Odd", "soft"),
    ("300 Multiple Choices", "soft"),
    ("304 Not Modified", "soft"),
    ("305 Use Proxy", "soft"),
    ("306 Unused", "soft"),
    ("400 Bad Request", "hard"),
    ("401 Unauthorized", "hard"),
    ("402 Payment Required", "hard"),
    ("403 Forbidden", "hard"),
    ("404 Not Found", "hard"),
    ("405 Method Not Allowed", "hard"),
    ("406 Not Acceptable", "hard"),
    ("407 Proxy Authentication Required", "hard"),
    ("408 Request Timeout", "temporary"),
    ("409 Conflict", "hard"),
    ("410 Gone", "hard"),
    ("411 Length Required", "hard"),
    ("412 Precondition Failed", "hard"),
    ("413 Content Too Large", "hard"),
    ("414 URI Too Long", "hard"),
    ("415 Unsupported Media Type", "hard"),
    ("416 Range Not Satisfiable", "hard"),
    ("417 Expectation Failed", "hard"),
    ("418 I'm a teapot", "hard"),
    ("421 Misdirected Request", "hard"),
    ("422 Unprocessable Content", "hard"),
    ("423 Locked", "hard"),
    ("424 Failed Dependency", "hard"),
    ("425 Too Early", "temporary"),
    ("426 Upgrade Required", "hard"),
    ("428 Precondition Required", "hard"),
    ("429 Too Many Requests", "temporary"),
    ("431 Request Header Fields Too Large", "hard"),
    ("444 No Response", "hard"),
    ("451 Unavailable For Legal Reasons", "hard"),
    ("499 Client Closed Request", "hard"),
    ("500 Internal Server Error", "soft"),
    ("501 Not Implemented", "soft"),
    ("502 Bad Gateway", "soft"),
    ("503 Service Unavailable", "temporary"),
    ("504 Gateway Timeout", "soft"),
    ("505 HTTP Version Not Supported", "soft"),
    ("507 Insufficient Storage", "soft"),
    ("508 Loop Detected", "soft"),
    ("511 Network Authentication Required", "temporary"),
    ("520 Unknown Error", "soft"),
    ("521 Web Server Is Down", "soft"),
    ("522 Connection Timed Out", "soft"),
    ("530 Frozen", "soft"),
    ("599 Network Timeout", "soft"),
    ("799 Odd", "soft"),
    ("999 Request Denied", "soft"),
]
FIRST = {"temporary": 1_800, "soft": 1_800, "hard": 3_600}
# the wait after the second, third and tenth failure in a row of a feed that is looked at each half hour
LATER = {"temporary": (3_600, 7_200, 7_200), "soft": (3_600, 7_200, 21_600), "hard": (7_200, 14_400, 86_400)}
BEFORE = {"etag": '"old"', "last_modified": "then", "body_hash": "h", "interval": 1_800, "title": "T"}


def _fails(line: str, grade: str) -> Behaviour:
    code = line[:3]
    look = Look(status(line), "failed", f"the server answers {code}", grade, FIRST[grade], stored={"failures": 1})
    return Behaviour(f"{code} to a feed that was never read", [look])


def _fails_again_and_again(line: str, grade: str) -> Behaviour:
    code, reply = line[:3], status(line)
    looks = [
        Look(reply, "failed", None, grade, FIRST[grade], stored=BEFORE | {"failures": 1}, full=True),
        *(Look(reply, "failed", None, grade, wait, stored=BEFORE | {"failures": n}, full=True) for n, wait in zip((2, 3), LATER[grade])),  # noqa: B905 - the first two
        Look(ok(1), "new", wait=1_800, new=1, stored={"failures": 0, "etag": None}, full=True),
    ]
    return Behaviour(f"{code} thrice, then the feed", looks, BEFORE)


def _fails_for_long(line: str, grade: str) -> Behaviour:
    look = Look(status(line), "failed", None, grade, min(LATER[grade][2], 86_400), stored={"failures": 10})
    return Behaviour(f"{line[:3]} for the tenth time", [look], BEFORE | {"failures": 9})


MOSTLY = [case for case in GRADES if case[0][:3] not in ("304", "410")]
STATUSES = [
    *(_fails(*case) for case in GRADES),
    *(_fails_again_and_again(*case) for case in MOSTLY),
    *(
        _fails_for_long(*case)
        for case in MOSTLY
        if case[0][:3] in ("401", "403", "404", "429", "451", "500", "502", "503", "504", "511", "999")
    ),
    Behaviour(
        "410 twice is gone, and asked again each week",
        [
            Look(status("410 Gone"), "failed", "410 Gone", "hard", 3_600, stored={"gone": 1}),
            Look(status("410 Gone"), "gone", "410 Gone", "hard", 604_800, stored={"gone": 2, "failures": 2}),
            Look(status("410 Gone"), "gone", "410 Gone", "hard", 604_800, stored={"gone": 3}),
            Look(ok(1), "new", wait=1_800, stored={"gone": 0, "failures": 0}),
        ],
    ),
    Behaviour(
        "410 once and then the feed",
        [
            Look(status("410 Gone"), "failed", None, "hard", stored={"gone": 1}),
            Look(ok(1), "new", stored={"gone": 0, "failures": 0}),
            Look(status("410 Gone"), "failed", None, "hard", stored={"gone": 1}),
        ],
    ),
    Behaviour(
        "a failure between two looks leaves the validators to the next",
        [
            Look(ok(1, headers=[("ETag", '"a"')]), "new", stored={"etag": '"a"'}),
            Look(status("500 Oops"), "failed", None, "soft", stored={"etag": '"a"'}, sends={"if-none-match": b'"a"'}),
            Look(NOT_MODIFIED, "not modified", sends={"if-none-match": b'"a"'}, stored={"failures": 0}),
        ],
    ),
    Behaviour(
        "304 though no validator was sent",
        [Look(NOT_MODIFIED, "failed", "304 Not Modified", "soft", sends={"if-none-match": None, "if-modified-since": None})],
    ),
]
