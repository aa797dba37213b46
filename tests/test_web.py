"""Pages and API on a real server: what they show, what they refuse, and that nobody's text does harm."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote, urljoin

import aiohttp
import pytest
from conftest import ingested
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from test_flow import AGENCY, AGGREGATOR, BLOG, REPORT, UNRELATED, article

from syndtrack.config import Settings
from syndtrack.errors import StoreError, UsageError
from syndtrack.store.store import Store
from syndtrack.tracker import Tracker
from syndtrack.web.marking import ago, marked, spoken
from syndtrack.web.pages import PAGES
from syndtrack.web.server import Site, _templates

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
QUERIES = {"article": "?url=" + quote(BLOG["url"], safe=""), "search": "?q=gates"}


@pytest.fixture
async def site(filled_db: Path):
    async with Site(Settings(db=filled_db), "127.0.0.1", 0, lambda: NOW) as running:
        yield running


async def fetched(client: aiohttp.ClientSession, site: Site, path: str) -> tuple[int, str]:
    async with client.get(site.address + path) as answer:
        return answer.status, await answer.text()


async def page(client: aiohttp.ClientSession, site: Site, path: str):
    status, text = await fetched(client, site, path)
    assert status == 200, text
    return html.fromstring(text)


async def record(client: aiohttp.ClientSession, site: Site, path: str):
    status, text = await fetched(client, site, "api/v1/" + path)
    assert status == 200, text
    return json.loads(text)


def words(element) -> str:
    return " ".join(element.text_content().split())


def values(value: object) -> list[str]:
    """Every text of a record that people are to see: not times, which pages show as seen from now, and not words of the schema."""
    if isinstance(value, dict):
        return [
            text
            for name, each in value.items()
            if not name.endswith(("kind", "first_seen", "published", "judgement"))
            for text in values(each)
        ]
    if isinstance(value, list):
        return [text for each in value for text in values(each)]
    return [value] if isinstance(value, str) else []


# -- what is shown


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_shows_what_the_api_gives(site: Site, client: aiohttp.ClientSession, name: str):
    path = name + QUERIES.get(name, "")
    drawn = await page(client, site, path)
    shown = words(drawn) + " " + " ".join(unescape(each) for each in drawn.xpath("//@href | //@datetime"))
    given_by_api = await record(client, site, path)
    for text in values(given_by_api):
        if name == "article" and text == given_by_api["text"]:
            continue
        assert " ".join(text.split()) in shown or quote(text, safe="") in shown, text


async def test_the_first_page_is_the_latest_copies(site: Site, client: aiohttp.ClientSession):
    (found,) = (await page(client, site, "")).xpath("//title/text()")
    assert found == "Latest copies – syndtrack"
    assert await fetched(client, site, "") == await fetched(client, site, "duplicates")


@pytest.mark.parametrize("start", ["", "stories", "search?q=harbour"])
async def test_every_link_on_a_page_leads_somewhere(site: Site, client: aiohttp.ClientSession, start: str):
    links = (await page(client, site, start)).xpath("//a[not(@rel)]/@href | //link[@rel='stylesheet']/@href")
    assert any("article?url=" in link for link in links)
    for link in set(links):
        async with client.get(urljoin(site.address, link)) as answer:
            assert answer.status == 200, link


async def test_an_article_page_shows_its_chain_hop_by_hop_with_the_evidence(site: Site, client: aiohttp.ClientSession):
    drawn = await page(client, site, "article" + QUERIES["article"])
    hops = drawn.xpath("//ol[@class='chain']/li")
    assert [words(hop.xpath("./p/b")[0]) for hop in hops] == ["Mole End Blog", "The Pilot Digest", "Lunnet Wire"]
    assert [len(hop.xpath("./details[1]")) for hop in hops] == [1, 1, 0]
    assert "Via The Pilot Digest" in words(hops[0].xpath("./details[1]//table")[0])
    assert "credited" in words(hops[0].xpath("./details[1]/summary")[0])
    assert drawn.xpath("//li[@class='origin']") == [hops[2]]


async def test_an_article_page_marks_removed_lines_and_credits_in_place(site: Site, client: aiohttp.ClientSession):
    drawn = await page(client, site, "article" + QUERIES["article"])
    text = drawn.xpath("//div[@class='text']")[0]
    assert [words(each) for each in text.xpath(".//span[@class='removed']")] == [
        "READ ALSO Council Loses The Keys Again",
        "Via The Pilot Digest",
    ]
    assert [words(each) for each in text.xpath(".//mark")] == ["Via The Pilot Digest"]
    for label in text.xpath(".//small"):
        label.drop_tree()
    assert [words(each) for each in text.xpath("./p")] == [" ".join(line.split()) for line in BLOG["text"].split("\n") if line.strip()]


async def test_an_article_is_found_by_any_form_of_its_address(site: Site, client: aiohttp.ClientSession):
    form = quote(AGENCY["url"].replace("https", "http") + "?utm_source=rss#top", safe="")
    assert (await record(client, site, f"article?url={form}"))["article"]["url"] == AGENCY["url"]


async def test_who_copied_an_article_stands_on_its_page(site: Site, client: aiohttp.ClientSession):
    given_by_api = await record(client, site, "article?url=" + quote(AGENCY["url"], safe=""))
    assert AGGREGATOR["url"] in [copy["url"] for copy in given_by_api["copies"]]
    assert len(given_by_api["chain"]) == 1


async def test_times_are_shown_as_seen_from_now_and_exactly_on_demand(site: Site, client: aiohttp.ClientSession):
    drawn = await page(client, site, "article?url=" + quote(AGENCY["url"], safe=""))
    time_shown = drawn.xpath("//time")[0]
    assert words(time_shown) == "6 h ago"
    assert time_shown.get("title") == "Monday, 02 March 2026, 08:00:00 UTC"
    assert time_shown.get("datetime") == "2026-03-02T08:00:00Z"


async def test_secrets_in_a_feeds_address_are_not_shown(site: Site, client: aiohttp.ClientSession):
    for path in ("feeds", "api/v1/feeds"):
        _, text = await fetched(client, site, path)
        assert "feeds.example/rss" in text
        assert "swordfish" not in text
        assert "opensesame" not in text


async def test_an_empty_database_has_pages_that_say_what_to_do(tmp_path: Path, client: aiohttp.ClientSession):
    Store(tmp_path / "empty.db").close()
    async with Site(Settings(db=tmp_path / "empty.db"), "127.0.0.1", 0) as site:
        for name in ("duplicates", "stories", "publishers", "feeds", "search"):
            assert (await page(client, site, name)).xpath("//*[@class='empty']"), name
            await record(client, site, name)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("localhost:99", 200), ("127.0.0.1", 200), ("[::1]:99", 200), ("192.168.1.5:8080", 200)),
        *(("evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost.evil.example", 403), ("[", 403)),
    ],
)
@pytest.mark.parametrize("path", ["", "api/v1/duplicates", "style.css"])
async def test_a_name_that_was_pointed_here_shows_nothing(site: Site, client: aiohttp.ClientSession, path: str, host: str, status: int):
    async with client.get(site.address + path, headers={"Host": host}) as answer:
        text = await answer.text()
    assert answer.status == status
    if status != 200:
        assert "not at a name that anybody could point here" in text
        assert "Pilot" not in text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("newsbox", 200), ("NewsBox.house.example:8080", 200), ("newsbox.house.example.", 200), ("reading.room", 200)),
        *(("house.example", 403), ("evil.example", 403), ("newsbox.evil.example", 403), ("hooks.example", 403)),
    ],
)
async def test_pages_are_shown_at_the_names_of_this_machine_but_not_at_that_of_hubs(
    filled_db: Path, monkeypatch: pytest.MonkeyPatch, client: aiohttp.ClientSession, host: str, status: int
):
    monkeypatch.setattr("syndtrack.web.judging.gethostname", lambda: "newsbox.house.example")
    settings = Settings(db=filled_db, names=("reading.room", "hooks.example"), public_url="https://hooks.example")
    async with Site(settings, "127.0.0.1", 0) as site, client.get(site.address, headers={"Host": host}) as answer:
        assert answer.status == status


@pytest.mark.parametrize("path", ["metrics", "healthz"])
async def test_programs_that_watch_may_know_this_machine_by_any_name(site: Site, client: aiohttp.ClientSession, path: str):
    async with client.get(site.address + path, headers={"Host": "newsbox:8080"}) as answer:
        assert answer.status == 200


async def test_health_says_how_much_is_stored(site: Site, client: aiohttp.ClientSession):
    status, text = await fetched(client, site, "healthz")
    assert (status, json.loads(text)["ok"], json.loads(text)["articles"]) == (200, True, 4)


# -- what is refused


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("article", 400, "name the article"),
        ("article?url=", 400, "name the article"),
        ("article?url=https://nowhere.example/x", 404, "no such article is stored"),
        ("article?url=file:///etc/passwd", 404, "no such article is stored"),
        ("article?url=http://[", 404, "no such article is stored"),
        ("article?url=%00", 404, "no such article is stored"),
        ("article?url=https://a.example/%ED%A0%80", 404, "no such article is stored"),
        ("duplicates?limit=0", 400, "is not a number from 1 to 500"),
        ("duplicates?limit=501", 400, "is not a number"),
        ("duplicates?limit=-1", 400, "is not a number"),
        ("stories?limit=ten", 400, "is not a number"),
        ("publishers?limit=1e2", 400, "is not a number"),
        ("search?q=x&limit=", 400, "is not a number"),
        ("search?q=x&limit=" + "9" * 5_000, 400, "is not a number"),
        ("nonsense", 404, "there are duplicates, article"),
    ],
)
async def test_what_cannot_be_shown_is_said_with_its_status(site: Site, client: aiohttp.ClientSession, path: str, status: int, told: str):
    page_status, text = await fetched(client, site, path)
    assert page_status == status
    assert told in words(html.fromstring(text))
    api_status, text = await fetched(client, site, "api/v1/" + path)
    assert api_status == status
    assert told in json.loads(text)["error"]


@pytest.mark.parametrize(
    "query", ["", "%22", "-", "%22%22%22", "NEAR(", "title:", "zzz*", "%00", "%ED%A0%80", "x" * 3_000, "AND+OR", "%E2%80%AE"]
)
async def test_no_search_is_too_strange(site: Site, client: aiohttp.ClientSession, query: str):
    assert (await fetched(client, site, f"search?q={query}"))[0] == 200
    assert (await record(client, site, f"search?q={query}"))["found"] == []


async def test_nothing_can_be_written(site: Site, client: aiohttp.ClientSession):
    for method in ("POST", "PUT", "DELETE"):
        for path in ("", "api/v1/article", "feeds"):
            async with client.request(method, site.address + path) as answer:
                assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_a_database_that_cannot_be_read_is_told_and_the_site_lives_on(tmp_path: Path, client: aiohttp.ClientSession, filled_db: Path):
    copy = tmp_path / "copy.db"
    with Tracker(Settings(db=filled_db)) as tracker:
        tracker.store.db.execute("VACUUM INTO ?", (str(copy),))
    async with Site(Settings(db=copy), "127.0.0.1", 0) as site:
        intact = copy.read_bytes()
        copy.write_bytes(intact[:4096] + b"\xaa" * (len(intact) - 4096))
        for path in ("stories", "api/v1/stories", "healthz"):
            status, text = await fetched(client, site, path)
            assert status == 503, text
            assert "malformed" in text
        assert (await fetched(client, site, "style.css"))[0] == 200


async def test_a_port_that_is_taken_is_told_with_what_to_do(site: Site, filled_db: Path):
    port = int(site.address.rstrip("/").rpartition(":")[2])
    with pytest.raises(UsageError, match=f"port {port} on 127.0.0.1 is taken; choose another"):
        async with Site(Settings(db=filled_db), "127.0.0.1", port):
            pass


async def test_a_site_without_a_database_is_refused(tmp_path: Path):
    with pytest.raises(StoreError, match="no database at"):
        async with Site(Settings(db=tmp_path / "none.db"), "127.0.0.1", 0):
            pass


# -- texts of others

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>&lt;\x01\x0b\u202e{{7*7}}{% raw %}"
HOSTILE_URLS = ('https://wire.example/"onmouseover="alert(3)/<script>alert(4)</script>', "https://copy.example/javascript:alert(5)")


@pytest.fixture
def hostile_db(tmp_path: Path) -> Path:
    text = "\n\n".join([HOSTILE, *REPORT, f"Source: {HOSTILE}", f"READ ALSO {HOSTILE}"])
    lines = [
        article(HOSTILE_URLS[0], [text], 0, title=HOSTILE, publisher=HOSTILE),
        article(HOSTILE_URLS[1], [*REPORT, f"Via {HOSTILE}"], 60, title="javascript:alert(6)", publisher="<i>Copy</i>"),
        {"url": "javascript:alert(7)", "text": text},
    ]
    with ingested(tmp_path, lines) as tracker, tracker.store.transaction():
        tracker.store.articles.refuse(NOW, "javascript:alert(8)", HOSTILE)
        tracker.store.feeds.add("javascript:alert(9)", HOSTILE, NOW)
        tracker.store.db.execute("UPDATE credit SET url = 'javascript:alert(10)'")
    return tmp_path / "x.db"


@pytest.fixture
async def hostile(hostile_db: Path):
    async with Site(Settings(db=hostile_db), "127.0.0.1", 0) as running:
        yield running


async def test_texts_of_others_do_no_harm(hostile: Site, client: aiohttp.ClientSession):
    site, urls = hostile, HOSTILE_URLS
    paths = ["", "stories", "publishers", "feeds", "search?q=" + quote(HOSTILE), "search?q=alert", "article?url=" + quote(HOSTILE)]
    for path in [*paths, *("article?url=" + quote(url, safe="") for url in urls)]:
        async with client.get(site.address + path) as answer:
            drawn = html.fromstring(await answer.text())
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        tags = {element.tag for element in drawn.iter() if isinstance(element.tag, str)}
        assert not tags & {"script", "img", "iframe", "object", "style", "i", "base"}, path
        attributes = [(name, value) for element in drawn.iter() for name, value in element.attrib.items()]
        assert not [name for name, _ in attributes if name.startswith("on")], path
        assert all(re.match(r"https?://|/|data:image/svg", value) for name, value in attributes if name in ("href", "src", "action")), path
        assert "49" not in drawn.xpath("string(//title)"), path


async def test_api_answers_are_json_whatever_they_hold(hostile: Site, client: aiohttp.ClientSession):
    async with client.get(hostile.address + "api/v1/article?url=" + quote(HOSTILE_URLS[0], safe="")) as answer:
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert json.loads(await answer.text())["article"]["title"].startswith("<script>")


@pytest.mark.parametrize("path", ["", "nonsense", "style.css", "healthz", "api/v1/stories", "api/v1/nonsense", "article"])
async def test_every_answer_forbids_scripts_and_framing(site: Site, client: aiohttp.ClientSession, path: str):
    async with client.get(site.address + path) as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


# -- while others write


@pytest.fixture
def tracker(tmp_path: Path):
    with ingested(tmp_path, [AGENCY, AGGREGATOR]) as opened:
        yield opened


async def test_pages_answer_while_a_poll_is_being_stored_and_show_what_was_stored_before(tracker: Tracker, client: aiohttp.ClientSession):
    async with Site(tracker.settings, "127.0.0.1", 0) as site:
        with tracker.store.transaction():
            tracker.store.db.execute("DELETE FROM edge")
            tracker.store.db.execute("UPDATE article SET story_id = NULL")
            tracker.store.db.execute("DELETE FROM story")
            assert len((await record(client, site, "duplicates"))["duplicates"]) == 1
            assert len((await record(client, site, "stories"))["stories"]) == 1
        assert (await record(client, site, "duplicates"))["duplicates"] == []


# -- drawing


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "just now"), (59, "just now"), (60, "1 min ago"), (7_199, "119 min ago"), (7_200, "2 h ago"), (200_000, "2 d ago"),
     (6e6, "2 months ago"),
     (1e8, "3 years ago"), (-30, "in a moment"), (-300, "in 5 min")],
)  # fmt: skip
def test_a_time_is_told_as_seen_from_now(seconds: float, told: str):
    assert ago("2026-03-02T08:00:00Z", datetime(2026, 3, 2, 8, tzinfo=UTC) + timedelta(seconds=seconds)) == told


def test_a_length_of_time_has_no_sign():
    assert spoken(-300) == spoken(300) == "5 min"


@st.composite
def texts_with_spans(draw: st.DrawFn):
    text = draw(st.text(st.sampled_from("ab \nß\u4e2d"), max_size=60))
    places = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(places, places).map(sorted), max_size=4))
    ends = sorted(draw(st.lists(places, max_size=6)))
    credits = [{"kind": "cited", "start": a, "end": b} for a, b in spans] + [{"kind": "wire", "start": None, "end": None}]
    return text, credits, [{"rule": "caption", "start": a, "end": b} for a, b in zip(ends[::2], ends[1::2], strict=False)]


@given(texts_with_spans())
def test_a_marked_text_loses_nothing_but_blank_lines_and_marks_exactly_the_spans(drawn):
    text, credits, removals = drawn
    lines = marked(text, credits, removals)
    assert ["".join(p.text for p in line) for line in lines] == [line for line in text.split("\n") if line.strip()]
    removed = "".join(text[r["start"] : r["end"]] for r in removals)
    assert sorted("".join(removed.split())) == sorted("".join("".join(p.text for line in lines for p in line if p.removal).split()))
    credited = {n for c in credits[:-1] for n in range(c["start"], c["end"]) if not text[n].isspace()}
    assert sum(len("".join(p.text.split())) for line in lines for p in line if p.credit) == len(credited)


def test_marking_a_text_of_very_many_removals_takes_no_longer_than_reading_it():
    line = "READ ALSO\n"
    removals = [{"rule": "read-also", "start": n * len(line), "end": (n + 1) * len(line) - 1} for n in range(50_000)]
    assert len(marked(line * 50_000, [], removals)) == 50_000


def test_the_unrelated_article_is_an_original(filled_db: Path):
    with Tracker(Settings(db=filled_db)) as tracker:
        assert len(tracker.trace(UNRELATED["url"])["chain"]) == 1


def test_control_characters_in_texts_of_others_are_replaced_on_pages_and_macros_stay_as_drawn():
    macro = "{% macro m(t) %}<b>{{ t }}</b>{% endmacro %}{{ m(t) }}"
    assert _templates().from_string(macro).render(t="a\x1b[2J\u202e<i>") == "<b>a\ufffd[2J\ufffd&lt;i&gt;</b>"
