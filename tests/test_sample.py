"""The sample newsroom: its texts and its truth, and the real server that reveals them."""

import asyncio
import io
import re
import socket
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import aiohttp
import feedparser
import listparser
import pytest

from syndtrack.errors import RefusedError, UsageError
from syndtrack.sample import ROUND, load_sample, open_newsroom, opml_of, serve
from syndtrack.sample import server as sample_server

FOLDER = Path(__file__).parent.parent / "seeds" / "sample"
STARTED = datetime(2026, 3, 4, 12, 30, 15, tzinfo=UTC)
BLOG_REPOST = "kesmar-threatens-to-leave-port-ansel"


@pytest.fixture(scope="module")
def sample():
    return load_sample(FOLDER)


@pytest.fixture
async def newsroom():
    async with open_newsroom(FOLDER, started=STARTED) as running:
        yield running


@pytest.fixture
async def client():
    async with aiohttp.ClientSession() as session:
        yield session


async def fetched(client, url, headers=None):
    async with client.get(url, headers=headers) as answer:
        return answer.status, await answer.read(), answer.headers


def words(article):
    return " ".join(article.revisions[0].paragraphs).split()


# The texts


def test_there_are_enough_stories_publishers_and_languages(sample):
    assert len({a.story for a in sample.articles} - {p.key for p in sample.publishers}) >= 12
    assert len(sample.publishers) >= 9
    assert len({a.language for a in sample.articles}) >= 6
    assert len({p.template for p in sample.publishers}) >= 4
    assert {p.feed for p in sample.publishers} == {"rss", "atom"}
    assert {p.full_text for p in sample.publishers} == {True, False}


def test_every_publisher_has_enough_articles_for_its_furniture_to_show(sample):
    for publisher in sample.publishers:
        assert sum(a.publisher == publisher.key for a in sample.articles) >= 6, publisher.name


def test_no_text_is_empty_and_no_paragraph_blank(sample):
    for article in sample.articles:
        assert article.headline.strip()
        assert article.summary.strip()
        for revision in article.revisions:
            assert len(" ".join(revision.paragraphs).split()) >= 50, article.key
            assert all(p == " ".join(p.split()) and p for p in revision.paragraphs), article.key


def test_every_source_that_the_truth_names_exists_and_came_first(sample):
    assert len(sample.edges) >= 18
    for edge in sample.edges:
        if edge.source is not None:
            source, copy = sample.article(edge.source), sample.article(edge.copy)
            assert source.minute < copy.minute
            assert source.publisher != copy.publisher


def test_every_copy_keeps_as_much_of_its_source_as_its_kind_says(sample):
    least_and_most = {"verbatim": (0.95, 1.0), "edited": (0.5, 0.99), "excerpt": (0.2, 0.5), "multi-source": (0.5, 1.0)}
    for edge in sample.edges:
        if edge.source is not None:
            copy, source = (set(pairwise(words(sample.article(key)))) for key in (edge.copy, edge.source))
            least, most = least_and_most[edge.kind]
            assert least <= len(copy & source) / len(source) <= most, edge
            assert len(copy & source) > 60, edge


def test_articles_that_are_no_copies_of_each_other_share_no_paragraph(sample):
    made_of = {(e.copy, e.source) for e in sample.edges}
    related = {frozenset(pair) for pair in made_of}
    paragraphs = {a.key: set(a.revisions[0].paragraphs) for a in sample.articles}
    for a in sample.articles:
        for b in sample.articles:
            if a.key < b.key and paragraphs[a.key] & paragraphs[b.key] and frozenset({a.key, b.key}) not in related:
                shared_source = {s for c, s in made_of if c == a.key} & {s for c, s in made_of if c == b.key}
                assert shared_source or {a.story, b.story} == {"naval-station"} or a.story == b.story == "street-lamps", (a.key, b.key)


def test_a_credit_is_recorded_where_the_text_names_the_source_and_nowhere_else(sample):
    names = {p.key: p.name for p in sample.publishers}
    for edge in sample.edges:
        copy = sample.article(edge.copy)
        stated = " ".join((copy.author or "", *copy.revisions[0].paragraphs))
        name = edge.source_publisher or names[sample.article(edge.source).publisher]
        assert (name in stated) == edge.credited, edge
        assert edge.credited_to is None or edge.credited_to in stated, edge


def test_the_sample_holds_every_kind_of_reuse(sample):
    assert {e.kind for e in sample.edges} == {"verbatim", "edited", "excerpt", "multi-source"}
    assert any(not e.credited and e.credited_to is None for e in sample.edges)
    assert any(e.credited_to for e in sample.edges)
    unobserved = [e.source_publisher for e in sample.edges if e.source is None]
    assert any(unobserved.count(name) > 1 for name in unobserved)
    assert sum(len(a.revisions) > 1 for a in sample.articles) >= 1


def test_the_three_hop_story_ends_in_a_repost_with_its_insert_caption_citations_and_last_line(sample):
    repost = sample.article(BLOG_REPOST)
    (to_aggregator,) = repost.edges
    (to_agency,) = sample.article(to_aggregator.source).edges
    assert not sample.article(to_agency.source).edges
    paragraphs = repost.revisions[0].paragraphs
    assert paragraphs[-1] == "Via Glumledger"
    assert sum(p.startswith("READ ALSO") for p in paragraphs[3:-3]) == 1
    assert sum(bool(re.fullmatch(r"Protests near .*, via AP\.", p)) for p in paragraphs) == 1
    assert [len(re.findall(said, repost_text := " ".join(paragraphs))) for said in ("told AFP", "according to AFP", "said to AFP")] == [
        1,
        1,
        1,
    ]
    assert "Corvane" not in repost_text


def test_only_one_story_links_a_copy_to_its_source(sample):
    linked = {a.story for a in sample.articles for p in a.revisions[0].paragraphs if "](article:" in p}
    assert linked == {"currency-peg"}


# The folder


def written(folder, story):
    (folder / "stories").mkdir()
    (folder / "publishers.toml").write_text((FOLDER / "publishers.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "stories" / "a.toml").write_text(story, encoding="utf-8")
    return folder


ONE = '[[article]]\nkey = "one"\npublisher = "corvane"\nminute = 1\nheadline = "H"\ntext = "a b\\n\\nc\\nd"\n'
TWO = ONE + '[[article]]\nkey = "two"\npublisher = "fenlight"\nminute = 2\nheadline = "H"\n[[article.from]]\narticle = "one"\n'


def test_a_copy_is_its_source_with_paragraphs_dropped_words_replaced_and_lines_put_in(tmp_path):
    made = load_sample(
        written(
            tmp_path, TWO + 'drop = [1]\nreplace = [["d", "D"]]\ninsert = [{ after = 2, text = "end" }, { after = 0, text = "x\\n\\ny" }]'
        )
    )
    assert made.article("two").revisions[0].paragraphs == ("x", "y", "c D", "end")


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (TWO + 'replace = [["nowhere", ""]]', "stands nowhere"),
        (TWO + "drop = [3]", "no paragraph 3"),
        (TWO + "keep = [0]", "no paragraph 0"),
        (TWO.replace('article = "one"', 'article = "two"'), "made of itself"),
        (TWO.replace('article = "one"', 'article = "three"'), "three"),
        (ONE.replace('"corvane"', '"nobody"'), "nobody"),
        (ONE + '[[article.edge]]\nkind = "edited"\ncredited = true', "either a source"),
        (ONE + ONE, "the same key"),
        ("[[article", "not a list"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_reason(tmp_path, story, reason):
    with pytest.raises(RefusedError, match=reason):
        load_sample(written(tmp_path, story))


def test_a_folder_without_a_newsroom_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"publishers\.toml is missing"):
        load_sample(tmp_path)


# The server


async def test_every_publisher_has_an_address_of_its_own(newsroom):
    hosts = [site.removeprefix("http://").partition(":") for site in newsroom.sites.values()]
    assert [host for host, _, _ in hosts] == [f"127.0.0.{n + 2}" for n in range(len(hosts))]
    assert len({port for _, _, port in hosts}) == 1


async def test_every_feed_can_be_parsed_and_its_entries_lead_to_their_pages(newsroom, client):
    newsroom.reveal(newsroom.rounds)
    for feed, publisher in zip(newsroom.feeds, newsroom.sample.publishers, strict=False):
        status, body, headers = await fetched(client, feed.url)
        parsed = feedparser.parse(io.BytesIO(body))
        assert (status, parsed.bozo, parsed.feed.title) == (200, False, publisher.name)
        assert headers["Content-Type"] == f"application/{publisher.feed}+xml"
        shown = newsroom.shown(publisher.key)
        assert [e.title for e in parsed.entries] == [s.article.headline for s in shown]
        assert len({e.id for e in parsed.entries}) == len(shown)
        for entry, each in zip(parsed.entries, shown, strict=True):
            assert ("content" in entry) == publisher.full_text
            assert datetime(*entry.published_parsed[:6], tzinfo=UTC) == each.published
            status, page, _ = await fetched(client, entry.link)
            text = page.decode(publisher.encoding)
            assert status == 200
            assert "<title>" in text
            assert str(each.html[-1]) in text


async def test_a_page_stands_in_its_publishers_encoding(newsroom, client):
    newsroom.reveal(newsroom.rounds)
    _, page, headers = await fetched(client, newsroom.url_of("moorbahn-faehrt-wieder"))
    assert headers["Content-Type"] == "text/html"
    assert "charset=windows-1252" in page.decode("ascii", errors="ignore")
    assert "Die Moorbahn fährt wieder – nach" in page.decode("windows-1252")
    with pytest.raises(UnicodeDecodeError):
        page.decode("utf-8")


async def test_what_the_client_has_already_is_answered_with_304(newsroom, client):
    url = newsroom.feeds[0].url
    _, body, headers = await fetched(client, url)
    tag, last = headers["ETag"], headers["Last-Modified"]
    assert body
    assert (await fetched(client, url, {"If-None-Match": tag}))[:2] == (304, b"")
    assert (await fetched(client, url, {"If-Modified-Since": last}))[:2] == (304, b"")
    assert (await fetched(client, url, {"If-None-Match": '"other"', "If-Modified-Since": last}))[0] == 200
    newsroom.advance()
    status, newer, headers = await fetched(client, url, {"If-None-Match": tag, "If-Modified-Since": last})
    assert (status, newer != body, headers["ETag"] != tag) == (200, True, True)
    assert (await fetched(client, url, {"If-Modified-Since": last}))[0] == 200


async def test_articles_appear_round_by_round_and_never_before(newsroom, client):
    out = []
    for number in range(newsroom.rounds + 1):
        newsroom.reveal(number)
        assert newsroom.minute == number * ROUND
        for article in newsroom.sample.articles:
            status, _, _ = await fetched(client, newsroom.url_of(article.key))
            assert status == (200 if article.minute <= number * ROUND else 404), article.key
        out.append(sum(len(newsroom.shown(p.key)) for p in newsroom.sample.publishers))
    assert out[0] > 0
    assert out == sorted(out)
    assert len(set(out)) >= 5
    assert out[-1] == len(newsroom.sample.articles)


async def test_a_correction_changes_the_page_and_nothing_else_does(newsroom, client):
    newsroom.reveal(newsroom.rounds - 1)
    urls = {a.key: newsroom.url_of(a.key) for a in newsroom.sample.articles}
    before = {key: (await fetched(client, url))[1] for key, url in urls.items()}
    newsroom.reveal(newsroom.rounds)
    after = {key: (await fetched(client, url))[1] for key, url in urls.items()}
    assert {key for key in urls if before[key] != after[key]} == {"school-kitchens-to-close"}
    assert b"sixty-four are to lose" in after["school-kitchens-to-close"]
    assert b"forty-six are to lose" in after["lunch-boxes-in-the-gallery"]


async def test_no_article_claims_a_time_after_the_newsrooms_start(newsroom):
    newsroom.reveal(newsroom.rounds)
    times = [t for p in newsroom.sample.publishers for s in newsroom.shown(p.key) for t in (s.published, s.updated)]
    assert max(times) <= STARTED


async def test_a_script_can_step_the_clock_over_http(newsroom, client):
    site = newsroom.sites["corvane"]
    async with client.post(f"{site}/-/advance") as answer:
        assert await answer.json() == {"minute": ROUND, "round": 1, "rounds": newsroom.rounds, "done": False}
    async with client.post(f"{site}/-/advance?minutes=30") as answer:
        assert (await answer.json())["minute"] == ROUND + 30
    async with client.post(f"{site}/-/advance?minutes=-5") as answer:
        assert answer.status == 400
    newsroom.reveal(newsroom.rounds)
    async with client.get(f"{site}/-/clock") as answer:
        assert (await answer.json())["done"] is True


async def test_with_a_pace_time_passes_by_itself(client):
    async with open_newsroom(FOLDER, pace=1e6) as newsroom:
        first = newsroom.minute
        await fetched(client, newsroom.feeds[0].url)
        assert newsroom.minute > first


async def test_two_feeds_fail_on_purpose_and_say_so(newsroom, client):
    page, gone = [feed for feed in newsroom.feeds if not feed.works]
    status, body, headers = await fetched(client, page.url)
    assert (status, headers["Content-Type"], feedparser.parse(io.BytesIO(body)).entries) == (200, "text/html", [])
    assert (await fetched(client, gone.url))[0] == 404


async def test_the_opml_lists_every_feed_and_marks_those_that_fail(newsroom, client):
    _, body, _ = await fetched(client, newsroom.sites["corvane"] + "/feeds.opml")
    assert body.decode() == newsroom.opml() == opml_of(newsroom.feeds)
    feeds = listparser.parse(newsroom.opml()).feeds
    assert [f.url for f in feeds] == [f.url for f in newsroom.feeds]
    assert [["Broken on purpose"] not in f.categories for f in feeds] == [f.works for f in newsroom.feeds]


async def test_the_link_to_another_publisher_is_its_real_address(newsroom, client):
    newsroom.reveal(newsroom.rounds)
    source = newsroom.url_of("the-peg-that-ate-the-reserves")
    _, page, _ = await fetched(client, newsroom.url_of("onions-and-plane-tickets"))
    assert f'<a href="{source}">Glumledger</a>' in page.decode()
    assert (await fetched(client, source))[0] == 200


async def test_the_truth_can_be_had_with_the_addresses_of_this_run(newsroom):
    edges = newsroom.true_edges()
    assert {e["kind"] for e in edges if e["copy"] == newsroom.sites["fenlight"] + f"/{BLOG_REPOST}/"} == {"edited"}
    assert {e["source_publisher"] for e in edges if e["source"] is None} == {"Reuters", "dpa", "AFP", "EFE"}


async def test_addresses_of_articles_are_the_same_in_every_run_but_for_the_port(newsroom):
    async with open_newsroom(FOLDER) as other:
        for article in newsroom.sample.articles:
            assert re.sub(r":\d+/", "/", newsroom.url_of(article.key)) == re.sub(r":\d+/", "/", other.url_of(article.key))


async def test_a_system_with_one_loopback_address_gets_a_port_for_each_publisher(client, monkeypatch):
    bound = sample_server._bound

    def only_one(places, *, same_port=True):
        if {host for host, _ in places} != {"127.0.0.1"}:
            raise OSError(sample_server.EADDRNOTAVAIL, "Cannot assign requested address")
        return bound(places, same_port=same_port)

    monkeypatch.setattr(sample_server, "_bound", only_one)
    async with open_newsroom(FOLDER) as newsroom:
        assert len({site for site in newsroom.sites.values() if site.startswith("http://127.0.0.1:")}) == len(newsroom.sample.publishers)
        for feed, publisher in zip(newsroom.feeds, newsroom.sample.publishers, strict=False):
            _, body, _ = await fetched(client, feed.url)
            assert feedparser.parse(io.BytesIO(body)).feed.title == publisher.name


async def test_a_taken_port_is_named():
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} .*give another port"):
            await serve(FOLDER, port, 0.0)


async def test_serve_reports_its_feeds_and_ends_when_cancelled(client):
    ready = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(FOLDER, 0, 0.0, ready.set_result))
    feeds = await ready
    assert (await fetched(client, feeds[0].url))[0] == 200
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetched(client, feeds[1].url)
