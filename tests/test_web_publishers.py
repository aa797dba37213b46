"""One publisher on its page and in the API: who republished it."""

from contextlib import closing
from pathlib import Path

import aiohttp

from syndtrack.config import Settings
from syndtrack.store.lookups import OF_ONE, PUBLISHERS
from syndtrack.store.store import Store
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


async def test_a_publishers_page_shows_whom_it_copies_and_who_copies_it_and_nobody_else(filled_db: Path, client: aiohttp.ClientSession):
    async with Site(Settings(db=filled_db), "127.0.0.1", 0) as site:
        async with client.get(site.address + "api/v1/publishers") as answer:
            matrix = (await answer.json())["publishers"]
        names = {name for row in matrix for name in (row["source_publisher"], row["copy_publisher"])}
        assert len(names) == 3
        for name in names:
            async with client.get(site.address + "api/v1/publishers", params={"name": name}) as answer:
                rows = (await answer.json())["publishers"]
            assert rows == [row for row in matrix if name in (row["source_publisher"], row["copy_publisher"])]
            assert len(rows) in (1, 2)


def test_what_one_publisher_copies_is_sought_without_a_look_at_every_edge(filled_db: Path):
    with closing(Store(filled_db, read_only=True)) as store:
        plan = [row[-1] for row in store.db.execute("EXPLAIN QUERY PLAN " + PUBLISHERS.format(which=OF_ONE), (1,))]
    assert [step for step in plan if step.startswith(("SCAN e", "SCAN c", "SCAN s"))] == []
    assert any(step.startswith("SEARCH e USING") for step in plan), plan
