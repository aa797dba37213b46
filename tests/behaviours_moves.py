"""Redirects: followed, but believed only after repeated agreement and only where they are said to be for good; and captive portals."""

from __future__ import annotations

from behaviours import HTML, NOT_MODIFIED, PAGE, Behaviour, Look, moved, ok, status

LINES = {301: "301 Moved Permanently", 302: "302 Found", 303: "303 See Other", 307: "307 Temporary Redirect", 308: "308 Permanent Redirect"}
BOTH = ("/feed", "/new")
# name, Location, what is asked then
PLACES: list[tuple[str, str | bytes, str]] = [
    ("an absolute address", "{base}/new", "/new"),
    ("a path", "/new", "/new"),
    ("a relative path", "new", "/new"),
    ("a path with dots", "/a/../new", "/new"),
    ("another host", "{other}/new", "other.example/new"),
    ("an address with a query", "/new?sig=a%2Fb+c%3D&x=1", "/new?sig=a%2Fb+c%3D&x=1"),
    ("an address with odd escapes", "/new?q=%7e%41%e9", "/new?q=%7e%41%e9"),
    ("an address with a fragment", "/new#top", "/new"),
    ("an address with blanks around", "  /new  ", "/new"),
    ("an address with a blank inside", "/new?q=a b", "/new?q=a%20b"),
    ("an address with letters beyond ASCII", "/new?q=é".encode(), "/new?q=%C3%A9"),
]
NOWHERE = [
    ("an ftp address", "ftp://a.example/feed", "no web address"),
    ("a file", "file:///etc/passwd", "no web address"),
    ("a script", "javascript:alert(1)", "no web address"),
    ("data", "data:text/xml,<rss/>", "no web address"),
    ("a mail address", "mailto:a@b.example", "no web address"),
    ("a host that is none", "http://[::1/", "no address"),
    ("a port beyond all", "{base}9/", None),
    ("no host", "http:///feed", None),
    ("itself", "/feed", "circle"),
    ("itself with a fragment", "/feed#again", "circle"),
]


def _once(code: int) -> Behaviour:
    stored = {"url": "{base}/feed", "moved_to": "{base}/new" if code in (301, 308) else None, "failures": 0}
    answers = {"/feed": moved(LINES[code], "/new"), "/new": ok(1)}
    return Behaviour(f"{code} once changes no address", [Look(answers, "new", asks=BOTH, stored=stored)])


def _for_long(code: int) -> Behaviour:
    for_good = code in (301, 308)
    answers = {"/feed": moved(LINES[code], "/new"), "/new": ok(1)}
    looks = [Look(answers, "new" if n == 0 else "nothing new", asks=BOTH, stored={"url": "{base}/feed"}) for n in range(2)]
    looks.append(Look(answers, "nothing new", asks=BOTH, stored={"url": "{base}/new" if for_good else "{base}/feed"}))
    looks.append(Look(answers, "nothing new", asks=("/new",) if for_good else BOTH, stored={"moved_to": None}))
    return Behaviour(f"{code} at four looks", looks)


def _unmodified(code: int) -> Behaviour:
    for_good = code in (301, 308)
    first = {"/feed": moved(LINES[code], "/new"), "/new": ok(1, headers=[("ETag", '"a"')])}
    again = {"/feed": moved(LINES[code], "/new"), "/new": NOT_MODIFIED}
    sends = {"if-none-match": b'"a"'}
    looks = [
        Look(first, "new", asks=BOTH, stored={"validators_of": "{base}/new"}),
        Look(again, "not modified", asks=BOTH, sends=sends),
        Look(again, "not modified", asks=BOTH, sends=sends, stored={"url": "{base}/new" if for_good else "{base}/feed"}),
        Look(again, "not modified", asks=("/new",) if for_good else BOTH, sends=sends),
    ]
    return Behaviour(f"{code} to what is not modified", looks)


def _before_failure(code: int, line: str, grade: str) -> Behaviour:
    answers = {"/feed": moved(LINES[code], "/new"), "/new": status(line)}
    looks = [Look(answers, "failed", line[:3], grade, asks=BOTH, stored={"url": "{base}/feed", "moved_times": 0}) for _ in range(4)]
    return Behaviour(f"{code} to a {line[:3]} is never believed", looks)


def _place(name: str, location: str | bytes, asked: str) -> Behaviour:
    path = asked.partition("?")[0].removeprefix("other.example")
    answers = {"/feed": moved("302 Found", location), path: ok(1)}
    return Behaviour(f"a redirect to {name}", [Look(answers, "new", asks=("/feed", asked))])


def _hops(count: int) -> dict[str, object]:
    chain = {f"/{n}": moved("302 Found", f"/{n + 1}") for n in range(1, count)}
    return {"/feed": moved("302 Found", "/1"), **chain, f"/{count}": ok(1)}


def _agreeing(name: str, targets: list[str], ends: str) -> Behaviour:
    looks = []
    for n, target in enumerate(targets):
        answers = {"/feed": moved(LINES[301], target) if target else ok(1), "/a": ok(1), "/b": ok(1)}
        asks = ("/feed", target) if target else ("/feed",)
        last = {"url": "{base}" + ends} if n == len(targets) - 1 else {}
        looks.append(Look(answers, "nothing new" if n else "new", asks=asks, stored=last))
    return Behaviour(f"moved for good: {name}", looks)


PORTAL = "a login, consent or maintenance page may stand in between"
MOVES = [
    *(_once(code) for code in LINES),
    *(_for_long(code) for code in LINES),
    *(_unmodified(code) for code in LINES),
    *(_before_failure(code, *end) for code in (301, 302, 308) for end in (("404 Not Found", "hard"), ("500 Oops", "soft"))),
    *(_place(*place) for place in PLACES),
    *(
        Behaviour(f"a redirect to {name} is refused", [Look(moved("301 Moved", to), "failed", reason, "soft", stored={"moved_to": None})])
        for name, to, reason in NOWHERE
    ),
    *(
        Behaviour(f"{line} without a place to go", [Look(status(line), "failed", line[:3], "soft", stored={"moved_to": None})])
        for line in LINES.values()
    ),
    Behaviour("five redirects in a row", [Look(_hops(5), "new", asks=("/feed", *(f"/{n}" for n in range(1, 6))))]),
    Behaviour(
        "six redirects in a row",
        [Look(_hops(6), "failed", "more than 5 redirects", "soft", asks=("/feed", *(f"/{n}" for n in range(1, 6))))],
    ),
    Behaviour(
        "a circle of two",
        [Look({"/feed": moved("302 Found", "/a"), "/a": moved("302 Found", "/feed")}, "failed", "circle", "soft", asks=("/feed", "/a"))],
    ),
    _agreeing("two looks are too few", ["/a", "/a"], "/feed"),
    _agreeing("three looks agree", ["/a", "/a", "/a"], "/a"),
    _agreeing("two places in turn", ["/a", "/b", "/a", "/b", "/a"], "/feed"),
    _agreeing("a look without in between", ["/a", "/a", "", "/a", "/a"], "/feed"),
    _agreeing("another place after two looks", ["/a", "/a", "/b", "/b", "/b"], "/b"),
    Behaviour(
        "for good and then for now ends where it is for good",
        [
            Look(
                {"/feed": moved(LINES[301], "/a"), "/a": moved(LINES[302], "/b"), "/b": ok(1)},
                "new",
                asks=("/feed", "/a", "/b"),
                stored={"moved_to": "{base}/a"},
            )
        ],
    ),
    Behaviour(
        "for now and then for good is for now",
        [
            Look(
                {"/feed": moved(LINES[302], "/a"), "/a": moved(LINES[301], "/b"), "/b": ok(1)},
                "new",
                asks=("/feed", "/a", "/b"),
                stored={"moved_to": None},
            )
        ],
    ),
    Behaviour(
        "validators of one place are not sent to another",
        [
            Look({"/feed": moved(LINES[302], "/a"), "/a": ok(1, headers=[("ETag", '"a"')])}, "new", asks=("/feed", "/a")),
            Look({"/feed": moved(LINES[302], "/b"), "/b": ok(2, 1)}, "new", new=1, asks=("/feed", "/b"), sends={"if-none-match": None}),
        ],
    ),
    *(
        Behaviour(f"asked exactly as published: {path}", [Look({path.partition("?")[0]: ok(1)}, "new", asks=(path,))], path=path)
        for path in (
            "/feed?sig=a%2Bb%2fc%3D%3d&Expires=1&x",
            "/FEED/%7Euser/%41",
            "/feed;v=1?a=1&a=2&&b",
            "/a//b/./c",
            "/feed?q=a+b%20c",
            "/%E2%9C%93?%zz",
            "/feed?u=http://x.example/?y=1|2",
        )
    ),
    Behaviour(
        "a page where a feed was: a portal may stand in between",
        [
            Look(ok(1, headers=[("ETag", '"a"')]), "new"),
            Look(status("200 OK", HTML, PAGE), "failed", PORTAL, "temporary", 1_800, stored={"etag": '"a"'}),
            Look(ok(1, headers=[("ETag", '"a"')]), "nothing new", sends={"if-none-match": b'"a"'}, stored={"failures": 0}),
        ],
    ),
    Behaviour("a page where no feed ever was", [Look(status("200 OK", HTML, PAGE), "failed", "HTML page", "hard", 3_600)]),
    Behaviour(
        "a page of no stated type where a feed was",
        [Look(ok(1), "new"), Look(status("200 OK", (), PAGE), "failed", PORTAL, "temporary", 1_800)],
    ),
    Behaviour(
        "a page that says it is a feed",
        [Look(ok(1), "new"), Look(status("200 OK", [("Content-Type", "application/rss+xml")], PAGE), "failed", PORTAL, "temporary", 1_800)],
    ),
    Behaviour(
        "a redirect to a portal for hours, then the feed",
        [
            Look(ok(1), "new"),
            *(
                Look(
                    {"/feed": moved(LINES[302], "{other}/login"), "/login": status("200 OK", HTML, PAGE)},
                    "failed",
                    PORTAL,
                    "temporary",
                    wait,
                    asks=("/feed", "other.example/login"),
                    stored={"url": "{base}/feed"},
                )
                for wait in (1_800, 3_600, 7_200, 7_200)
            ),
            Look(ok(1), "nothing new", stored={"failures": 0}),
        ],
    ),
    Behaviour(
        "a portal that says it is for good is not believed either",
        [
            Look(ok(1), "new"),
            *(
                Look(
                    {"/feed": moved(LINES[301], "{other}/login"), "/login": status("200 OK", HTML, PAGE)},
                    "failed",
                    PORTAL,
                    "temporary",
                    asks=("/feed", "other.example/login"),
                    stored={"url": "{base}/feed", "moved_to": None},
                )
                for _ in range(4)
            ),
        ],
    ),
    Behaviour("a feed that calls itself a page is a feed", [Look(ok(1, headers=HTML), "new", new=1)]),
]
