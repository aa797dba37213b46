"""Addresses: which lead to one article, whose they are, and which are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.urls import article_key, host_of, is_http, is_tracking, registrable_domain, shown

STORY = "https://news.example.org/2026/Ferry-Late.html"


@pytest.mark.parametrize(
    "other",
    [
        "http://news.example.org/2026/Ferry-Late.html",
        "HTTPS://News.Example.ORG/2026/Ferry-Late.html",
        "https://www.news.example.org/2026/Ferry-Late.html",
        "https://m.news.example.org/2026/Ferry-Late.html",
        "https://www.amp.news.example.org/2026/Ferry-Late.html",
        "https://news.example.org:443/2026/Ferry-Late.html",
        "https://news.example.org./2026/Ferry-Late.html",
        "https://reader:secret@news.example.org/2026/Ferry-Late.html",
        f"{STORY}/",
        f"{STORY}#comments",
        f"{STORY}?",
        f"{STORY}?utm_source=rss&utm_medium=feed&fbclid=x9",
        f"{STORY}?CMP=share&ocid=a&igsh=b",
        f"{STORY}?amp",
        f"{STORY}?print=1&outputType=amp",
        f"{STORY}?m=1",
        "https://news.example.org/2026/Ferry-Late.amp.html",
        "https://news.example.org/2026/Ferry-Late.html/amp/",
    ],
)
def test_other_forms_of_an_address_lead_to_the_same_article(other):
    assert article_key(other) == article_key(STORY)


@pytest.mark.parametrize(
    "other",
    [
        "https://news.example.org/2026/ferry-late.html",
        "https://news.example.org/2026/Ferry-Late",
        "https://sport.example.org/2026/Ferry-Late.html",
        "https://news.example.org:8443/2026/Ferry-Late.html",
        f"{STORY}?id=7",
        f"{STORY}?page=2",
        f"{STORY}?source=42",
        f"{STORY}?reference=42",
        f"{STORY}?m=content",
        f"{STORY}?print=8812",
        f"{STORY}#!/other-story",
    ],
)
def test_what_selects_another_article_is_kept(other):
    assert article_key(other) != article_key(STORY)


def test_the_order_of_parameters_is_no_matter_but_their_values_are():
    assert article_key("https://a.example/x?id=1&p=2") == article_key("https://a.example/x?p=2&id=1")
    assert article_key("https://a.example/x?id=1&p=2") != article_key("https://a.example/x?id=2&p=1")
    assert article_key("https://a.example/x?q=a%26b") != article_key("https://a.example/x?q=a&b")


def test_a_domain_that_only_looks_like_a_form_stays_whole():
    assert len({article_key(f"https://{host}/x") for host in ("m.co.uk", "amp.co.uk", "mobile.co.uk", "co.uk")}) == 4
    assert article_key("https://www.m.co.uk/x") == article_key("https://m.co.uk/x")
    assert article_key("https://m.github.io/x") != article_key("https://amp.github.io/x")


@pytest.mark.parametrize("name", ["utm_campaign", "UTM_Term", "gclid", "fbclid", "mc_cid", "cmp", "WT.mc_id", "_hsenc", "feedType"])
def test_campaign_parameters_are_tracking(name):
    assert is_tracking(name)


@pytest.mark.parametrize(
    "name", ["id", "p", "q", "page", "article_id", "storyId", "newsid", "s", "lang", "source", "ref_no", "Itemid", "aid"]
)
def test_parameters_that_select_are_no_tracking(name):
    assert not is_tracking(name)


ADDRESSES = st.builds(
    "{}://{}{}/{}?{}#{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["", "www.", "m.", "amp.www."]),
    st.sampled_from(["a.example", "b.co.uk", "127.0.0.1:8080", "[::1]"]),
    st.text("aB/.%?=é ", max_size=12).map(lambda s: s.replace(" ", "amp")),
    st.text("ab=&;%+mprint1", max_size=12),
    st.text("a!#", max_size=3),
)


@given(ADDRESSES)
def test_case_of_the_host_tracking_and_fragments_never_change_the_key(url):
    key = article_key(url)
    before, _, fragment = url.partition("#")
    assert article_key(before + "&utm_source=x#" + fragment) == key
    assert article_key(url.replace("a.example", "A.Example", 1)) == key
    if not fragment.startswith("!"):
        assert article_key(before) == key


@given(st.text(max_size=60))
def test_a_key_of_anything_is_a_key(text):
    assert isinstance(article_key(text), str)
    assert isinstance(article_key(f"http://{text}"), str)


# -- what is an address


@pytest.mark.parametrize(
    "url",
    ["http://a.example", "HTTPS://A.EXAMPLE/x", "https://[::1]:8000/x", "http://127.0.0.1/", "https://пример.рф/новость", "https://a.example/a\\b",
     "https://user:password@a.example/", "https://a.example:65535/"],
)  # fmt: skip
def test_an_absolute_web_address_is_one(url):
    assert is_http(url)


@pytest.mark.parametrize(
    "url",
    [
        "", " ", "a.example/x", "//a.example/x", "/x", "ftp://a.example/", "file:///etc/passwd", "javascript:alert(1)//http://a.example",
        "data:text/html,x", "http:", "http://", "http:///x", "http:a.example", "http:/a.example", "http:\\\\a.example", "http://a.example\\@b.example/",
        "http://./", "http://../x", "http://:80/", "http://user@/", "http://?x", "http://#x",
        "http://[::1/", "http://::1]/", "http://[not]/", "http://a.example:0/", "http://a.example:65536/", "http://a.example:-1/", "http://a.example:x/",
        " http://a.example/", "http://a.example/ x", "http://a.example/\nx", "ht\ntp://a.example/", "http://a.\texample/", "http://a.example/\x00",
        "http://a.example/\x7f", "http://a.example/\u2028", "http://a.example/\ud800", "http://a.example/" + "x" * 2_000,
    ],
    ids=ascii,
)  # fmt: skip
def test_hostile_and_relative_spellings_are_no_address(url):
    assert not is_http(url)


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://a.example/", "http://[", "http://a:"]))
def test_every_text_is_an_address_or_none_and_an_address_has_a_host(text, start):
    if is_http(start + text):
        assert host_of(start + text)
        assert registrable_domain(start + text)


# -- whose it is


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://news.bbc.co.uk/x", "bbc.co.uk"),
        ("www.spiegel.de", "spiegel.de"),
        ("https://someone.blogspot.com/x", "someone.blogspot.com"),
        ("https://A.Example.ORG./", "example.org"),
        ("http://127.0.0.1/x", "127.0.0.1"),
        ("http://127.0.0.1:80/x", "127.0.0.1"),
        ("http://127.0.0.1:8001/x", "127.0.0.1:8001"),
        ("127.0.0.1:8001", "127.0.0.1:8001"),
        ("http://[2001:db8::1]/x", "2001:db8::1"),
        ("http://[2001:db8::1]:8001/x", "2001:db8::1:8001"),
        ("http://localhost:8001/x", "localhost:8001"),
        ("https://example.org:8443/x", "example.org"),
        ("https://co.uk/x", "co.uk"),
        ("http://127.0.0.1:99999/", "127.0.0.1"),
        ("http://[broken/", ""),
        ("", ""),
    ],
)
def test_a_registrable_domain_is_what_somebody_can_own(url, domain):
    assert registrable_domain(url) == domain


def test_host_of_takes_addresses_and_bare_hosts():
    assert (
        host_of("https://user@WWW.Example.org:8000/x") == host_of("www.example.org") == host_of(" www.example.org. ") == "www.example.org"
    )


# -- for logs


def test_secrets_are_hidden_where_addresses_are_shown():
    assert shown("https://reader:hunter2@a.example/feed?token=abc&id=7") == "https://a.example/feed?token=…&id=7"
    assert shown("https://a.example/x?api_key=1;apikey=2&author=Ann") == "https://a.example/x?api_key=…;apikey=…&author=Ann"
    assert shown("https://a.example/x?key=1&keyword=ferry") == "https://a.example/x?key=…&keyword=ferry"
