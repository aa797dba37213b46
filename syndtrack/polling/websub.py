"""Being pushed what is new in a feed (WebSub, https://www.w3.org/TR/websub/): what to ask a hub for, when, and what to believe of it.

Pure: what is stored, what was heard and the time in; what to store out. Looks at the feed go on beside the pushes, at longer intervals
while these come: a hub may stop without a word.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from syndtrack.models import HubLink, PollResult, Subscription
from syndtrack.polling.schedule import spoken

PATH = "/websub/"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits
LEASE = timedelta(days=10)  # asked for; hubs give what they like
LONGEST_LEASE = timedelta(days=90)
RENEW_AT = 0.8  # of the lease
RENEW_AFTER_AT_LEAST = timedelta(minutes=10)
# After a request that the hub did not confirm: twice as long each time.
FIRST_WAIT = timedelta(hours=1)
LONGEST_WAIT = timedelta(days=7)
DENIED_WAIT = timedelta(days=7)
UNSUBSCRIBE_TRIES = 3  # then the lease ends by itself
# A feed that names another hub at each look must not send us to one address after the other.
CHANGE_AFTER = timedelta(days=1)
BACK_UP = timedelta(hours=6)
MAX_CHALLENGE = 1_000
MAX_REASON = 200
ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)


def after_hearing(old: Subscription | None, result: PollResult) -> Subscription | None:
    """What is to be agreed after a look at the feed: None for nothing, `old` itself where all stays as it is."""
    if old is not None and result.outcome == "gone":
        return _ending(old, result.at, "the feed is gone")
    if result.announced is None:
        return old
    if not result.announced:
        return old and _ending(old, result.at, "the feed names no hub any more")
    link = result.announced[0]
    if old is not None and (old.hub, old.topic, old.wants) == (link.hub, link.topic, "subscribe"):
        return old
    return _begun(result.feed.id, link, result.at, None if old is None else old.asked)


def _begun(feed_id: int, link: HubLink, now: datetime, asked: datetime | None) -> Subscription:
    at = now if asked is None else max(now, asked + CHANGE_AFTER)
    return Subscription(feed_id, link.hub, link.topic, secrets.token_urlsafe(32), secrets.token_urlsafe(32), asked=asked, next_try=at)


def _ending(old: Subscription, now: datetime, reason: str) -> Subscription:
    """To be unsubscribed; what the hub still pushes is not wanted."""
    if old.wants == "unsubscribe":
        return old
    return replace(old, wants="unsubscribe", tries=0, next_try=now, pushing=False, reason=reason)


def before_asking(subscription: Subscription, now: datetime) -> Subscription | None:
    """What to store before the hub is asked, so that its question back finds it and a restart does not ask again at once. None: give up."""
    if subscription.wants == "unsubscribe" and subscription.tries >= UNSUBSCRIBE_TRIES:
        return None
    wait = min(FIRST_WAIT * 2 ** min(subscription.tries, 10), LONGEST_WAIT)
    return replace(subscription, asked=now, tries=subscription.tries + 1, next_try=now + wait)


def request_form(subscription: Subscription, public_url: str) -> Mapping[str, str]:
    """What a hub is asked with (section 5.1).

    The secret is always sent: by plain http it may be overheard, but without one nothing would be signed at all.
    """
    form = {"hub.mode": subscription.wants, "hub.topic": subscription.topic, "hub.callback": public_url + PATH + subscription.token}
    if subscription.wants == "subscribe":
        form |= {"hub.secret": subscription.secret, "hub.lease_seconds": str(int(LEASE.total_seconds()))}
    return form


def after_confirming(subscription: Subscription, query: Mapping[str, str], now: datetime) -> Subscription | None:
    """What is agreed once the hub's question (section 5.3) was answered with its challenge. None where that was not asked for."""
    topic, challenge = query.get("hub.topic"), query.get("hub.challenge", "")
    was_asked = subscription.tries > 0 or subscription.lease_until is not None
    if (
        not was_asked
        or query.get("hub.mode") != subscription.wants
        or topic != subscription.topic
        or not 0 < len(challenge) <= MAX_CHALLENGE
    ):
        return None
    if subscription.wants == "unsubscribe":
        return replace(subscription, lease_until=None, next_try=None)
    stated = query.get("hub.lease_seconds", "")
    lease = min(timedelta(seconds=int(stated)), LONGEST_LEASE) if _DIGITS.fullmatch(stated) and int(stated) else LEASE
    renewed = now + max(lease * RENEW_AT, RENEW_AFTER_AT_LEAST)
    return replace(subscription, tries=0, lease_until=now + lease, next_try=renewed, reason=None)


def after_denial(subscription: Subscription, query: Mapping[str, str], now: datetime) -> Subscription | None:
    """What is left once the hub said that it will not push (section 5.2). None where it speaks of another topic."""
    if query.get("hub.topic") != subscription.topic:
        return None
    stated = "".join(c for c in query.get("hub.reason", "") if c.isprintable())[:MAX_REASON]
    reason = f"the hub refuses{': ' if stated else ''}{stated}"
    return replace(subscription, lease_until=None, pushing=False, next_try=now + DENIED_WAIT, reason=reason)


def is_signed(secret: str, body: bytes, header: str | None) -> bool:
    """Whether `X-Hub-Signature` (section 8) is this body's under this secret."""
    name, _, stated = (header or "").strip().partition("=")
    if name not in ALGORITHMS or not stated.isascii():
        return False
    return hmac.compare_digest(hmac.new(secret.encode(), body, ALGORITHMS[name]).hexdigest(), stated.lower())


def takes_pushes(subscription: Subscription, now: datetime) -> bool:
    """Whether the hub may push: it confirmed that, and the lease is not over."""
    return subscription.wants == "subscribe" and subscription.lease_until is not None and subscription.lease_until > now


def after_result(subscription: Subscription, result: PollResult, interval: int | None) -> Subscription:
    """What a push or a look says of the hub. Where a look finds what was not pushed, the hub is not relied upon until it pushes again.

    `interval` is the feed's before.
    """
    if not result.pushed:
        missed = result.outcome == "new" and subscription.pushing
        return replace(subscription, pushing=False) if missed else subscription
    pushed = replace(subscription, pushes=subscription.pushes + 1, last_push=result.at)
    if result.outcome == "failed":
        return replace(pushed, reason=f"what was pushed could not be read: {result.reason}")
    return pushed if pushed.pushing else replace(pushed, pushing=True, interval=interval)


def backed_up(result: PollResult, subscription: Subscription | None) -> PollResult:
    """The result of a look with a later next one, where the feed's hub pushes what is new: looks are a back-up then.

    The interval stays what it was before: that looks find nothing new says nothing of the feed while its hub pushes.
    """
    if subscription is None or result.pushed or result.outcome not in ("nothing new", "not modified"):
        return result
    if not subscription.pushing or not takes_pushes(subscription, result.at):
        return result
    planned, until = result.feed.next_check, subscription.lease_until
    later = min(result.at + BACK_UP, until or result.at)
    if planned is None:
        return result
    interval = subscription.interval or result.feed.interval
    why = f"{result.why}; its hub pushes what is new, so the next look is a back-up"
    if later > planned:
        why += f", in {spoken(round((later - result.at).total_seconds()))}"
    return replace(result, feed=replace(result.feed, interval=interval, next_check=max(planned, later)), why=why)
