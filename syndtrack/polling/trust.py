"""Asking a site for its trust.txt: as robots.txt allows, at its host's pace, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from syndtrack.errors import FetchError, RefusedError
from syndtrack.owners import TRUST_BYTES, TrustAnswer, parse_trust
from syndtrack.polling.fetch import Fetcher, status_text
from syndtrack.polling.headers import media_type
from syndtrack.polling.poll import Poller
from syndtrack.reading.charset import decode
from syndtrack.store.owners import Site
from syndtrack.urls import registrable_domain

AT_ONCE = 20
PLACES = ("/trust.txt", "/.well-known/trust.txt")

# Raises RefusedError where robots.txt does not let an address be asked for; `own` says whether networks allowed by name may be asked.
Allowed = Callable[[str, bool], Awaitable[None]]


async def ask_all(sites: Sequence[Site], poller: Poller) -> list[TrustAnswer]:
    """What came of asking several sites, in their order."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(site: Site) -> TrustAnswer:
        async with at_once:
            return await ask_trust(site.domain, site.scheme, poller.fetcher, poller.pages.allowed, own=site.own)

    return list(await asyncio.gather(*map(one, sites)))


async def ask_trust(domain: str, scheme: str, fetcher: Fetcher, allowed: Allowed, *, own: bool) -> TrustAnswer:
    """A site's trust.txt. Never raises RefusedError: what goes wrong is in the answer."""
    reason = ""
    for place in PLACES:
        url = f"{scheme}://{domain}{place}"

        async def before_hop(to: str, own: bool) -> None:
            if registrable_domain(to) != registrable_domain(domain):
                raise FetchError(domain, f"its trust.txt leads to {registrable_domain(to)}: what stands there is not its own word")
            await allowed(to, own)

        try:
            await allowed(url, own)
            answer = await fetcher.fetch(url, accept="text/plain, */*;q=0.5", max_bytes=TRUST_BYTES, own=own, before_hop=before_hop)
        except RefusedError as error:
            return TrustAnswer(domain, "failed", reason=error.reason)
        if answer.status == 200 and media_type(answer.content_type) in ("", "text/plain"):
            return TrustAnswer(domain, "found", answer.url, None, parse_trust(decode(answer.body, answer.content_type)))
        if answer.status >= 500 or answer.status == 429:
            return TrustAnswer(domain, "failed", reason=f"the server answers {status_text(answer.status)}")
        if answer.status == 200:  # many sites answer everything with a page
            reason = f"is {media_type(answer.content_type)[:80]}, no plain text"
        else:
            reason = f"the server answers {status_text(answer.status)}"
    return TrustAnswer(domain, "absent", reason=reason)
