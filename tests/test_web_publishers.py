"""One publisher on its page and in the API: who republished it."""

from pathlib import Path

import aiohttp

from syndtrack.config import Settings
from syndtrack.web.server import Site


async def test_a_publisher_is_asked_for_by_any_name_and_tells_who_republished_it(filled_db: Path, client: aiohttp.ClientSession):
    async with Site(Settings(db=filled_db), "127.0.0.1", 0) as site:
        async with client.get(site.address + "api/v1/publishers?name=digest.example") as answer:
            record = await answer.json()
        assert record["publisher"]["name"] == "The Pilot Digest"
        assert [(r["copy_publisher"], r["credited"]) for r in record["republished"]] == [("Mole End Blog", True)]
        async with client.get(site.address + "publishers?name=Lunnet+Wire") as answer:
            text = await answer.text()
        assert answer.status == 200
        assert "Who republished it" in text
        assert 'href="/publishers?name=Lunnet%20Wire"' in text


async def test_a_name_that_nobody_has_is_not_found_with_the_nearest(filled_db: Path, client: aiohttp.ClientSession):
    async with Site(Settings(db=filled_db), "127.0.0.1", 0) as site:
        async with client.get(site.address + "api/v1/publishers?name=Pilot+Digset") as answer:
            record = await answer.json()
        assert answer.status == 404
        assert "nearest: The Pilot Digest" in record["error"]
        async with client.get(site.address + "publishers?name=%3Cscript%3E") as answer:
            assert "<script>" not in await answer.text()
