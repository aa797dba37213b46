import tomllib
from collections import Counter, defaultdict
from xml.sax.saxutils import quoteattr

import listparser
import pytest

from syndtrack.errors import UsageError
from syndtrack.publishers import DOMAIN, Registry, fold
from syndtrack.seeds import KINDS, seed_feeds, seed_publishers, seeds_folder
from syndtrack.urls import host_of, is_http, registrable_domain

CONTINENTS = {"Africa", "Asia", "Europe", "North America", "South America", "Oceania"}


@pytest.fixture(scope="module")
def publishers():
    return seed_publishers()


@pytest.fixture(scope="module")
def registry(publishers):
    return Registry(dict(enumerate(publishers)))


@pytest.fixture(scope="module")
def entries():
    return tomllib.loads((seeds_folder() / "publishers.toml").read_text(encoding="utf-8"))["publisher"]


def test_there_are_hundreds_of_publishers_of_every_kind(publishers):
    kinds = Counter(publisher.kind for publisher in publishers)
    assert len(publishers) >= 200
    assert set(kinds) == KINDS
    assert kinds["agency"] >= 60
    assert min(kinds.values()) >= 20


def test_agencies_of_all_continents_are_known(entries):
    continents = Counter(entry["continent"] for entry in entries if entry["kind"] == "agency")
    assert set(continents) == CONTINENTS
    assert all(count >= 3 for count in continents.values()), continents


def test_a_country_lies_on_one_continent_and_is_written_as_a_code(entries):
    places = defaultdict(set)
    for entry in entries:
        assert len(entry["country"]) == 2, entry
        assert entry["country"].isupper(), entry
        if "continent" in entry:
            places[entry["country"]].add(entry["continent"])
    assert all(len(continents) == 1 for continents in places.values()), places


def test_no_name_belongs_to_two_publishers(publishers):
    owners = defaultdict(set)
    for publisher in publishers:
        for name in (publisher.name, *publisher.aliases):
            assert fold(name), f"{name!r} of {publisher.name} has no letters"
            owners[fold(name)].add(publisher.name)
    assert not {name: found for name, found in owners.items() if len(found) > 1}


def test_no_alias_is_listed_twice_or_repeats_the_name(publishers):
    for publisher in publishers:
        names = (publisher.name, *publisher.aliases)
        assert len(set(names)) == len(names), publisher


def test_domains_are_hosts_that_somebody_can_own_and_belong_to_one_publisher(publishers):
    seen = {}
    for publisher in publishers:
        for domain in publisher.domains:
            assert DOMAIN.fullmatch(domain), domain
            assert not domain.startswith("www."), domain
            assert host_of(domain) == domain
            assert "." in registrable_domain(domain), domain
            assert domain == registrable_domain(domain) or domain.endswith("." + registrable_domain(domain)), domain
            assert domain not in seen, (domain, publisher.name, seen.get(domain))
            seen[domain] = publisher.name


def test_a_domain_used_as_a_name_is_the_publishers_own(publishers, registry):
    for publisher in publishers:
        for name in (publisher.name, *publisher.aliases):
            if DOMAIN.fullmatch(name.casefold()) and (at := registry.at(name)) is not None:
                assert registry[at].name == publisher.name, name


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("AFP", "AFP"),
        ("Agence France-Presse", "AFP"),
        ("Agence France Presse", "AFP"),
        ("AGENCE FRANCE-PRESSE", "AFP"),
        ("أ ف ب", "AFP"),
        ("एएफपी", "AFP"),
        ("Reuters", "Reuters"),
        ("Thomson Reuters", "Reuters"),
        ("رويترز", "Reuters"),
        ("Рейтер", "Reuters"),
        ("The Associated Press", "AP"),
        ("Deutsche Presse-Agentur", "dpa"),
        ("Agencia EFE", "EFE"),
        ("Agência Lusa", "Lusa"),
        ("Agenzia ANSA", "ANSA"),
        ("新华社", "Xinhua"),
        ("Синьхуа", "Xinhua"),
        ("共同社", "Kyodo"),
        ("共同通信", "Kyodo"),
        ("ТАСС", "TASS"),
        ("Укрінформ", "Ukrinform"),
        ("연합뉴스", "Yonhap"),
        ("Anadolu Agency", "Anadolu Ajansı"),
        ("The Canadian Press", "The Canadian Press"),
        ("Česká tisková kancelář", "ČTK"),
        ("CTK", "ČTK"),
        ("dpa-AFX", "dpa-AFX"),
        ("Zerohedge", "ZeroHedge"),
        ("Zero Hedge", "ZeroHedge"),
        ("ZEROHEDGE", "ZeroHedge"),
        ("zerohedge.com", "ZeroHedge"),
        ("www.zerohedge.com", "ZeroHedge"),
        ("NYT", "The New York Times"),
        ("EL PAÍS", "El País"),
        ("الجزيرة", "Al Jazeera"),
    ],
)
def test_a_name_as_credits_state_it_leads_to_its_publisher(registry, stated, name):
    found = registry.named(stated)
    assert found is not None
    assert registry[found].name == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.zerohedge.com/markets/some-article", "ZeroHedge"),
        ("https://cms.zerohedge.com/fullrss2.xml", "ZeroHedge"),
        ("https://finance.yahoo.com/news/x.html", "Yahoo Finance"),
        ("https://uk.news.yahoo.com/x.html", "Yahoo News"),
        ("https://asia.nikkei.com/x", "Nikkei Asia"),
        ("https://www.nikkei.com/x", "Nikkei"),
        ("https://g1.globo.com/x", "G1"),
        ("https://news.bbc.co.uk/x", "BBC"),
    ],
)
def test_an_address_leads_to_the_publisher_of_the_closest_domain(registry, url, name):
    found = registry.at(url)
    assert found is not None
    assert registry[found].name == name


@pytest.mark.parametrize(
    "word",
    [
        *(
            "map",
            "the app",
            "tap",
            "time",
            "mehr",
            "insider",
            "metro",
            "news",
            "photo",
            "press",
            "via",
            "agencies",
            "staff",
            "editor",
            "print",
        ),
        *("the nation", "the herald", "APS", "CNA", "ABC News", "Foto: DR", "DR", "قنا", "आज तक", "Vox", "Beta"),
        *("Getty Images", "Shutterstock"),
    ],
)
def test_plain_words_ambiguous_names_and_picture_agencies_lead_nowhere(registry, word):
    assert registry.named(word) is None


def test_only_agencies_are_taken_for_agencies(registry):
    assert registry.is_agency("AFP")
    assert registry.is_agency("Press Association")
    assert not registry.is_agency("ZeroHedge")
    assert not registry.is_agency("The New York Times")


@pytest.mark.parametrize(
    "owner",
    [
        *("Gannett", "Lee Enterprises", "McClatchy", "Alden Global Capital", "Hearst", "News Corp", "Sinclair", "Nexstar", "Postmedia"),
        *("Nine", "Reach", "Axel Springer", "Funke", "Madsack", "Ippen", "Prisa", "Mediahuis", "Rossel"),
    ],
)
def test_the_sites_of_a_large_owner_share_it(publishers, owner):
    assert sum(publisher.owner == owner for publisher in publishers) >= 2


def test_every_owner_is_written_one_way(publishers):
    spellings = defaultdict(set)
    for publisher in publishers:
        if publisher.owner:
            spellings[fold(publisher.owner)].add(publisher.owner)
    assert not [found for found in spellings.values() if len(found) > 1]


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ('[[publisher]]\nname = "A"\nkind = "blog"\ncolour = "red"', r"publisher 1 \(A\): unknown key colour"),
        ('[[publisher]]\nname = "A"\nkind = "paper"', r"\(A\): kind must be one of"),
        ('[[publisher]]\nname = "A"', r"\(A\): kind must be one of"),
        ('[[publisher]]\nname = "A"\nkind = ["blog"]', r"\(A\): kind must be a text"),
        ('[[publisher]]\nkind = "blog"', r"publisher 1 \(without a name\): name is missing"),
        ('[[publisher]]\nname = " "\nkind = "blog"', "name must be a text"),
        ('[[publisher]]\nname = "A"\nkind = "blog"\naliases = "B"', r"\(A\): aliases must be a list of texts"),
        ('[[publisher]]\nname = "A"\nkind = "blog"\ndomains = ["a.org", 1]', r"\(A\): domains must be a list of texts"),
        ('[[outlet]]\nname = "A"', "only .*publisher.* tables are known, not outlet"),
        ('[publisher]\nname = "A"', "not a single publisher"),
        ("publisher = [1]", "publisher 1: not a table"),
        ("[[publisher]", "toml"),
    ],
)
def test_a_slip_in_the_publishers_is_named_with_its_entry(tmp_path, toml, reason):
    path = tmp_path / "publishers.toml"
    path.write_text(toml, encoding="utf-8")
    with pytest.raises(UsageError, match=reason):
        seed_publishers(path)


def test_a_missing_seed_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.toml"):
        seed_publishers(tmp_path / "nowhere.toml")
    with pytest.raises(UsageError, match=r"nowhere\.opml"):
        seed_feeds(tmp_path / "nowhere.opml")


def test_there_are_feeds_in_many_languages():
    feeds = seed_feeds()
    languages = Counter(feed.language for feed in feeds)
    assert len(feeds) >= 70
    assert len(languages) >= 10
    assert None not in languages


def test_every_feed_has_a_title_and_two_addresses_and_comes_once():
    feeds = seed_feeds()
    assert all(feed.title for feed in feeds)
    assert all(is_http(feed.url) for feed in feeds)
    assert all(feed.homepage and is_http(feed.homepage) for feed in feeds)
    assert len({feed.url for feed in feeds}) == len(feeds)


def test_every_feed_belongs_to_a_known_publisher(registry):
    assert not [feed.title for feed in seed_feeds() if registry.at(feed.homepage or "") is None]


def test_zerohedge_is_among_the_feeds():
    assert any(host_of(feed.homepage or "") == "www.zerohedge.com" for feed in seed_feeds())


def test_other_readers_find_the_same_feeds_in_the_file():
    found = listparser.parse((seeds_folder() / "feeds.opml").read_text(encoding="utf-8"))
    assert found.version == "opml2"
    assert not found.bozo
    assert [feed.url for feed in found.feeds] == [feed.url for feed in seed_feeds()]


def test_an_entity_in_an_opml_file_does_not_open_other_files(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("confidential", encoding="utf-8")
    path = tmp_path / "feeds.opml"
    path.write_text(
        f"<!DOCTYPE opml [<!ENTITY e SYSTEM {quoteattr(secret.as_uri())}>]>"
        '<opml version="2.0"><body><outline text="A" xmlUrl="https://a.example/feed"/>&e;</body></opml>',
        encoding="utf-8",
    )
    assert [feed.url for feed in seed_feeds(path)] == ["https://a.example/feed"]


def test_a_file_that_is_no_xml_is_refused(tmp_path):
    path = tmp_path / "feeds.opml"
    path.write_text("no subscriptions here", encoding="utf-8")
    with pytest.raises(UsageError, match=r"feeds\.opml"):
        seed_feeds(path)
