"""Verdicts over HTTP, on a real server with a real scheduler: what is taken and shown, and that other sites' pages send nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from conftest import ingested
from lxml import html
from test_flow import AGENCY, AGGREGATOR, BLOG, UNRELATED

from syndtrack.config import Settings
from syndtrack.tracker import Tracker
from syndtrack.web.server import Site

A, D, B = AGENCY["url"], AGGREGATOR["url"], BLOG["url"]
WORD = {"copy": B, "source": A, "says": "confirm", "by": "Ada"}


@pytest.fixture
def db(tmp_path: Path) -> Path:
    ingested(tmp_path, [AGENCY, AGGREGATOR, BLOG, UNRELATED]).close()
    return tmp_path / "x.db"


@pytest.fixture
async def site(db: Path) -> AsyncIterator[Site]:
    with Tracker(Settings(db=db)) as tracker:
        async with Site(tracker.settings, "127.0.0.1", 0) as running, tracker.scheduler() as scheduler:
            running.judging.writer = scheduler
            yield running


async def listed(client: aiohttp.ClientSession, site: Site) -> list[dict[str, str]]:
    async with client.get(site.address + "api/v1/verdicts") as answer:
        return json.loads(await answer.text())["verdicts"]


async def article(client: aiohttp.ClientSession, site: Site, url: str):
    async with client.get(site.address + "article?url=" + quote(url, safe="")) as answer:
        assert answer.status == 200
        return html.fromstring(await answer.text())


async def post(client: aiohttp.ClientSession, site: Site, record: object, **headers: str) -> tuple[int, str]:
    async with client.post(site.address + "api/v1/verdicts", json=record, headers=headers) as answer:
        return answer.status, await answer.text()


async def send(client: aiohttp.ClientSession, site: Site, fields: dict[str, str], **headers: str) -> int:
    async with client.post(site.address + "verdicts", data=fields, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def test_a_program_gives_lists_and_takes_back_verdicts(site: Site, client: aiohttp.ClientSession):
    assert (await post(client, site, WORD))[0] == 200
    assert [(v["copy"], v["source"], v["by"], v["standing"]) for v in await listed(client, site)] == [(B, A, "Ada", "in force")]
    async with client.get(site.address + "api/v1/article?url=" + quote(B, safe="")) as answer:
        record = json.loads(await answer.text())
    assert record["chain"][1]["url"] == A
    assert [h["change"] for h in record["history"]] == ["first traced", "replaced"]
    async with client.delete(site.address + "api/v1/verdicts", params={"copy": B, "source": A}) as answer:
        assert (answer.status, (await answer.json())["taken_back"]) == (200, 1)
    assert await listed(client, site) == []


async def test_the_forms_of_an_articles_page_work(site: Site, client: aiohttp.ClientSession):
    async def pressed(label: str, **filled: str) -> int:
        for form in (await article(client, site, B)).xpath("//form[@action='/verdicts']"):
            for button in form.xpath(".//button"):
                if button.text == label:
                    fields = {i.get("name"): i.get("value") or "" for i in form.xpath(".//input")}
                    return await send(client, site, {**fields, **filled, "says": button.get("value")})
        raise AssertionError(label)

    assert await pressed("Reject") == 303
    assert "Lunnet Wire" in (await article(client, site, B)).xpath("string(//ol[@class='chain']/li[2])")
    assert await pressed("Take back") == 303
    assert await pressed("It is the origin", by="Ada", note="She wrote it") == 303
    drawn = await article(client, site, B)
    assert not drawn.xpath("//ol[@class='chain']")
    assert "She wrote it" in drawn.text_content()
    assert await pressed("Take back") == 303
    assert await pressed("Comes from there", source="Harbour Press") == 303
    drawn = await article(client, site, B)
    assert "Harbour Press" in drawn.xpath("string(//ol[@class='chain']/li[2])")
    assert "confirmed" in drawn.xpath("string(//div[@class='verdict'])")
    assert await pressed("Comes from there", source="ftp://x") == 400


async def test_a_form_leads_back_to_its_articles_page(site: Site, client: aiohttp.ClientSession):
    async with client.post(site.address + "verdicts", data=await fields_of(client, site)) as answer:
        assert (answer.status, answer.url.path, answer.url.query["url"]) == (200, "/article", B)
        assert "confirmed" in await answer.text()


async def test_a_form_that_cannot_be_read_is_refused(site: Site, client: aiohttp.ClientSession):
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=none"}
    async with client.post(site.address + "verdicts", data=b"copy=%ff", headers=headers) as answer:
        assert answer.status == 400


async def fields_of(client: aiohttp.ClientSession, site: Site) -> dict[str, str]:
    token = (await article(client, site, B)).xpath("//input[@name='token']/@value")[0]
    return {"copy": B, "source": A, "says": "confirm", "token": token}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 303, id="a browser without the headers"),
        pytest.param({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303, id="our page"),
        pytest.param({"Origin": "null"}, 303, id="our page in an old browser"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="another site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="another port"),
        pytest.param({"Sec-Fetch-Site": "none"}, 403, id="no page"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="another origin"),
        pytest.param({"Host": "evil.example"}, 403, id="a name that was pointed here"),
        pytest.param({"Host": "evil.example", "Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, 403, id="rebound"),
        pytest.param({"Host": "127.0.0.1.evil.example"}, 403, id="a name like an address"),
        pytest.param({"Host": "["}, 403, id="no host"),
        pytest.param({"Host": "localhost:99"}, 303, id="localhost"),
        pytest.param({"Host": "[::1]:99"}, 303, id="an address"),
    ],
)
async def test_only_our_own_pages_can_send_a_form(site: Site, client: aiohttp.ClientSession, headers: dict[str, str], status: int):
    assert await send(client, site, await fields_of(client, site), **headers) == status
    assert len(await listed(client, site)) == (status == 303)


@pytest.mark.parametrize("token", ["", "x", "\u00e9", None])
async def test_a_form_without_the_token_is_refused(site: Site, client: aiohttp.ClientSession, token: str | None):
    fields = await fields_of(client, site) | {"token": token}
    assert await send(client, site, {k: v for k, v in fields.items() if v is not None}) == 403
    assert await listed(client, site) == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "null"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}],
    ids=["a sandbox", "another origin", "another site", "rebound"],
)
async def test_json_from_another_sites_page_is_refused(site: Site, client: aiohttp.ClientSession, headers: dict[str, str]):
    assert (await post(client, site, WORD, **headers))[0] == 403
    async with client.delete(site.address + "api/v1/verdicts", params={"copy": B}, headers=headers) as answer:
        assert answer.status == 403
    assert await listed(client, site) == []


async def test_json_that_a_form_of_another_site_could_send_is_refused(site: Site, client: aiohttp.ClientSession):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        async with client.post(site.address + "api/v1/verdicts", data=json.dumps(WORD), headers={"Content-Type": kind}) as answer:
            assert answer.status == 415
    assert await listed(client, site) == []


@pytest.mark.parametrize(
    ("record", "told"),
    [(["x"], "is an object"), ({**WORD, "says": "perhaps"}, "confirm, reject or origin"), ({**WORD, "source": B}, "no copy of itself"),
     ({**WORD, "copy": "x"}, "its http or https address")],
    ids=["no object", "another word", "itself", "no address"],
)  # fmt: skip
async def test_what_cannot_be_used_is_told(site: Site, client: aiohttp.ClientSession, record: object, told: str):
    status, text = await post(client, site, record)
    assert (status, told in text) == (400, True)


async def test_a_body_without_end_is_refused(site: Site, client: aiohttp.ClientSession):
    assert (await post(client, site, {**WORD, "note": "x" * 100_000}))[0] == 413


async def test_what_was_not_said_cannot_be_taken_back(site: Site, client: aiohttp.ClientSession):
    async with client.delete(site.address + "api/v1/verdicts", params={"copy": B, "source": D}) as answer:
        assert (answer.status, "nothing was said" in await answer.text()) == (400, True)


async def test_pages_that_only_read_say_so(filled_db: Path, client: aiohttp.ClientSession):
    async with Site(Settings(db=filled_db), "127.0.0.1", 0) as site:
        status, text = await post(client, site, WORD)
        assert (status, "only read" in text) == (503, True)


async def test_verdicts_and_changes_have_pages_of_their_own(site: Site, client: aiohttp.ClientSession):
    await post(client, site, {**WORD, "note": "<b>sure</b>"})
    for path, told in (("verdicts", "<b>sure</b>"), ("history", "replaced")):
        async with client.get(site.address + path) as answer:
            assert told in html.fromstring(await answer.text()).text_content()
