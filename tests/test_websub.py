"""Being pushed what is new: what is decided of hubs, leases, the hub's questions and signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from polling_rig import NOON, rss, rss_entry

from syndtrack.models import Feed, HubLink, PollResult, Subscription
from syndtrack.polling import websub
from syndtrack.polling.fetch import Answer
from syndtrack.polling.headers import linked
from syndtrack.polling.seen import announced_hubs
from syndtrack.reading.entries import parse_feed

FEED, HUB, TOPIC = "https://a.example/feed", "https://hub.example/", "https://a.example/self"
ATOM = 'xmlns:atom="http://www.w3.org/2005/Atom"'
LINKS = f'<atom:link {ATOM} rel="hub" href="{HUB}"/><atom:link {ATOM} rel="self" href="{TOPIC}"/>'
AGREED = Subscription(1, HUB, TOPIC, "t" * 43, "secret")
Hubs = tuple[HubLink, ...] | None
NAMED = (HubLink(HUB, TOPIC),)
CONFIRMED = replace(AGREED, asked=NOON, lease_until=NOON + timedelta(days=10), next_try=NOON + timedelta(days=8))
PUSHING = replace(CONFIRMED, pushing=True, interval=1_800)


def question(**fields: str) -> dict[str, str]:
    stated = {"mode": "subscribe", "topic": TOPIC, "challenge": "c", "lease_seconds": "864000"} | fields
    return {f"hub.{name}": value for name, value in stated.items()}


def looked(outcome: str = "nothing new", announced: Hubs = NAMED, **fields: Any) -> PollResult:  # noqa: ANN401 - whatever PollResult takes
    feed = Feed(1, FEED, interval=2_700, next_check=NOON + timedelta(minutes=45))
    return PollResult(feed, NOON, outcome, 200, "why", announced=announced, **fields)


# -- discovery


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (['<https://h.example/>; rel="hub"'], "https://h.example/"),
        (["<https://h.example/>; rel=hub, <x>; rel=self"], "https://h.example/"),
        (['<x>; title="a, <b>; rel=hub"; rel=self', "</h>;rel=HUB"], "/h"),
        (['<x>; rel="self hub"'], "x"),
        (["<x>; rel=self"], None),
        (["<x>; rel=hubs"], None),
        (["x; rel=hub"], None),
        ([], None),
        (["<" * 100_000], None),
        (['<x>;"' * 100_000], None),
    ],
    ids=["quoted", "bare", "second header", "two relations", "other relation", "longer word", "no brackets", "none", "hostile", "quotes"],
)
def test_link_headers_name_a_hub(values: list[str], found: str | None):
    assert linked(values, "hub") == found


@pytest.mark.parametrize(
    "body",
    [
        rss(rss_entry(1, "https://a.example/1"), head=LINKS),
        (f'<feed xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="{HUB}"/>' + '<link rel="self" href="/self"/></feed>').encode(),
        json.dumps(
            {"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": [], "feed_url": TOPIC}
            | {"hubs": [{"type": "rssCloud", "url": "https://c.example/"}, {"type": "WebSub", "url": HUB}]}
        ).encode(),
    ],
    ids=["rss", "atom", "json"],
)
def test_feeds_name_a_hub_and_their_topic(body: bytes):
    parsed = parse_feed(body, FEED)
    assert (parsed.hub, parsed.topic) == (HUB, TOPIC)


def test_headers_are_believed_before_the_feed():
    parsed = parse_feed(rss(rss_entry(1, "https://a.example/1"), head=LINKS), FEED)
    assert announced_hubs(Answer(200, FEED, hub="https://h.example/", topic="/t"), parsed) == (
        HubLink("https://h.example/", "https://a.example/t"),
    )
    assert announced_hubs(Answer(200, FEED), parsed) == (HubLink(HUB, TOPIC),)


def test_a_hub_without_a_topic_or_at_no_web_address_is_none():
    empty = replace(parse_feed(rss(rss_entry(1, "https://a.example/1")), FEED))
    assert announced_hubs(Answer(200, FEED, hub=HUB), empty) == ()
    assert announced_hubs(Answer(200, FEED, hub="file:///etc/passwd", topic=TOPIC), empty) == ()


# -- decisions


def test_a_feed_that_names_a_hub_is_to_be_subscribed_to_with_secrets_of_its_own():
    one, other = (websub.after_hearing(None, looked()) for _ in range(2))
    assert one is not None
    assert other is not None
    assert (one.hub, one.topic, one.next_try, one.wants) == (HUB, TOPIC, NOON, "subscribe")
    assert len({one.token, one.secret, other.token, other.secret}) == 4
    assert websub.TOKEN.fullmatch(one.token)
    assert one.token not in repr(one)
    assert one.secret not in repr(one)


def test_a_look_that_tells_nothing_of_hubs_changes_nothing():
    assert websub.after_hearing(None, looked(announced=None)) is None
    assert websub.after_hearing(None, looked(announced=())) is None
    for announced in (None, (HubLink(HUB, TOPIC),)):
        assert websub.after_hearing(CONFIRMED, looked(announced=announced)) is CONFIRMED


def test_a_new_hub_takes_the_place_of_the_old_but_not_at_every_look():
    new = websub.after_hearing(CONFIRMED, looked(announced=(HubLink("https://other.example/", TOPIC),)))
    assert new is not None
    assert (new.hub, new.lease_until) == ("https://other.example/", None)
    assert new.token != CONFIRMED.token
    assert new.next_try == NOON + timedelta(days=1)


@pytest.mark.parametrize("result", [looked("gone", None), looked(announced=())], ids=["gone", "no hub"])
def test_a_feed_that_is_gone_or_names_no_hub_is_unsubscribed(result: PollResult):
    ending = websub.after_hearing(PUSHING, result)
    assert ending is not None
    assert (ending.wants, ending.next_try, ending.pushing) == ("unsubscribe", NOON, False)
    assert not websub.takes_pushes(ending, NOON)
    assert websub.after_hearing(ending, result) is ending
    tried = ending
    for _ in range(websub.UNSUBSCRIBE_TRIES):
        tried = websub.before_asking(tried, NOON) or AGREED
        assert tried.wants == "unsubscribe"
        assert "hub.secret" not in websub.request_form(tried, "https://us.example")
    assert websub.before_asking(tried, NOON) is None


def test_a_hub_that_does_not_confirm_is_asked_ever_more_rarely():
    waits, agreed = [], AGREED
    for _ in range(10):
        agreed = websub.before_asking(agreed, NOON) or AGREED
        waits.append((agreed.next_try or NOON) - NOON)
    assert waits[0] == timedelta(hours=1)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(days=7)


def test_a_request_names_the_callback():
    form = websub.request_form(AGREED, "https://us.example/x")
    assert form == {
        "hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": f"https://us.example/x/websub/{'t' * 43}",
        "hub.secret": "secret", "hub.lease_seconds": "864000",
    }  # fmt: skip


def test_a_lease_is_renewed_before_it_ends():
    confirmed = websub.after_confirming(replace(AGREED, tries=3), question(lease_seconds="1000000"), NOON)
    assert confirmed is not None
    assert (confirmed.tries, confirmed.lease_until) == (0, NOON + timedelta(seconds=1_000_000))
    assert confirmed.next_try == NOON + timedelta(seconds=800_000)


@pytest.mark.parametrize(
    ("stated", "lease"),
    [("", 864_000), ("0", 864_000), ("-5", 864_000), ("x", 864_000), ("9" * 12, 7_776_000), ("9" * 500, 864_000), ("60", 60)],
    ids=["missing", "zero", "negative", "word", "too long", "digits without end", "a minute"],
)
def test_odd_leases_are_bounded(stated: str, lease: int):
    confirmed = websub.after_confirming(replace(AGREED, tries=1), question(lease_seconds=stated), NOON)
    assert confirmed is not None
    assert confirmed.lease_until == NOON + timedelta(seconds=lease)
    assert confirmed.next_try is not None
    assert confirmed.next_try >= NOON + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("agreed", "asked"),
    [
        (replace(AGREED, tries=1), question(topic="https://b.example/")),
        (replace(AGREED, tries=1), question(mode="unsubscribe")),
        (replace(AGREED, tries=1), question(challenge="")),
        (replace(AGREED, tries=1), question(challenge="c" * 1_001)),
        (replace(AGREED, tries=1), {}),
        (AGREED, question()),
    ],
    ids=["another topic", "another mode", "no challenge", "endless challenge", "nothing", "not asked yet"],
)
def test_only_what_was_asked_for_is_confirmed(agreed: Subscription, asked: dict[str, str]):
    assert websub.after_confirming(agreed, asked, NOON) is None


def test_a_denial_ends_the_lease_and_is_told():
    denied = websub.after_denial(PUSHING, question(mode="denied", reason="no\nthanks"), NOON)
    assert denied is not None
    assert (denied.lease_until, denied.pushing, denied.reason) == (None, False, "the hub refuses: nothanks")
    assert denied.next_try == NOON + timedelta(days=7)
    assert websub.after_denial(PUSHING, question(mode="denied", topic="x"), NOON) is None


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha384", "sha512"])
def test_signatures_of_each_algorithm_hold_for_these_bytes_alone(name: str):
    signed = f"{name}={hmac.new(b'secret', b'body', getattr(hashlib, name)).hexdigest()}"
    assert websub.is_signed("secret", b"body", signed)
    assert websub.is_signed("secret", b"body", name + "=" + signed.partition("=")[2].upper())
    assert not websub.is_signed("secret", b"body ", signed)
    assert not websub.is_signed("other", b"body", signed)


@pytest.mark.parametrize("header", [None, "", "sha1", "sha1=", "md5=841a2d689ad8", "sha256=é", "=", "sha256=" + "0" * 64])
def test_what_is_no_signature_does_not_hold(header: str | None):
    assert not websub.is_signed("secret", b"body", header)


def test_looks_are_rarer_while_the_hub_pushes_and_say_so():
    backed = websub.backed_up(looked(), PUSHING)
    assert backed.feed.next_check == NOON + timedelta(hours=6)
    assert backed.feed.interval == 1_800
    assert backed.why == "why; its hub pushes what is new, so the next look is a back-up, in 6 h"


@pytest.mark.parametrize(
    ("result", "agreed"),
    [
        (looked(), None),
        (looked(), CONFIRMED),
        (looked(), replace(PUSHING, lease_until=NOON)),
        (looked(), replace(PUSHING, wants="unsubscribe")),
        (looked("failed"), PUSHING),
        (looked("waiting"), PUSHING),
        (looked("new"), PUSHING),
    ],
    ids=["no hub", "nothing pushed yet", "lease over", "unsubscribing", "failed", "asked to wait", "missed something"],
)
def test_looks_stay_as_they_are_where_no_hub_can_be_relied_upon(result: PollResult, agreed: Subscription | None):
    assert websub.backed_up(result, agreed) is result


def test_a_look_is_never_brought_forward_and_comes_when_the_lease_ends():
    far = replace(looked(), feed=replace(looked().feed, next_check=NOON + timedelta(days=1)))
    assert websub.backed_up(far, PUSHING).feed.next_check == NOON + timedelta(days=1)
    soon = replace(PUSHING, lease_until=NOON + timedelta(hours=2))
    assert websub.backed_up(looked(), soon).feed.next_check == NOON + timedelta(hours=2)


def test_a_hub_is_relied_upon_from_its_first_push_until_a_look_finds_what_it_did_not_push():
    pushed = websub.after_result(CONFIRMED, looked("new", pushed=True), 900)
    assert (pushed.pushing, pushed.interval, pushed.pushes, pushed.last_push) == (True, 900, 1, NOON)
    assert websub.after_result(pushed, looked("nothing new"), 900) is pushed
    assert not websub.after_result(pushed, looked("new"), 900).pushing
    broken = websub.after_result(CONFIRMED, looked("failed", None, reason="no feed", pushed=True), 900)
    assert (broken.pushing, broken.reason) == (False, "what was pushed could not be read: no feed")
