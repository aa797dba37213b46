"""Publishers by any of their names: laws of folding and of looking up, and cases that matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.models import Publisher
from syndtrack.publishers import Registry, fold

PILOT = Publisher("The Pilot Digest", "outlet", ("Pilot Digest Online", "Digest"), ("pilot.example",))
WIRE = Publisher("Lunnet Wire", "agency", ("LW", "L.W."), ("wire.example", "press.pilot.example"))
DOTTED = Publisher("News.example", "outlet", (), ())
REGISTRY = Registry({7: PILOT, 8: WIRE, 9: DOTTED})

NAMES = st.text(max_size=20) | st.sampled_from(
    ["The Post", "the post", "POST", "A.F.P.", "AFP", "www.post.example", "→", "", "Straße", "Ⅷ", "℡ Wire"]
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ZeroHedge", "Zero Hedge"),
        ("The Daily Post", "daily-post"),
        ("A.F.P.", "AFP"),
        ("Agência Lusa", "AGENCIA LUSA"),
        ("https://www.post.example", "post.example"),
        ("www.post.example", "POST.example"),
        ("Süddeutsche Zeitung", "SU\u0308DDEUTSCHE ZEITUNG"),
        ("Straße", "STRASSE"),
        ("ＴＡＳＳ", "Tass"),
        ("the  Post", "Post"),
    ],
)
def test_spellings_of_one_name_fold_to_the_same(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Die Zeit", "Zeit"), ("Theatre", "Atre"), ("Post 1", "Post 2"), ("Правда", "Pravda"), ("新华社", "中新社")]
)
def test_different_names_fold_differently(one, other):
    assert fold(one) != fold(other)


@given(NAMES)
def test_folding_twice_is_folding_once_and_case_is_no_matter(name):
    assert fold(fold(name)) == fold(name)
    assert fold(name.casefold()) == fold(name)
    assert not any(c.isspace() for c in fold(name))


REGISTRIES = st.lists(st.builds(Publisher, NAMES, aliases=st.lists(NAMES, max_size=3).map(tuple)), max_size=5).map(
    lambda ps: Registry(dict(enumerate(ps)))
)


@given(REGISTRIES, NAMES)
def test_a_name_stands_for_one_publisher_or_is_ambiguous_or_unknown(registry, name):
    holders = {n for n in registry for each in (registry[n].name, *registry[n].aliases) if fold(each) == fold(name) != ""}
    assert registry.named(name) == (holders.pop() if len(holders) == 1 else None)
    assert registry.is_ambiguous(name) == (len(holders) > 1)


@given(REGISTRIES)
def test_the_order_of_publishers_is_no_matter(registry):
    turned = Registry({n: registry[n] for n in reversed(list(registry))})
    for number in registry:
        assert turned.named(registry[number].name) == registry.named(registry[number].name)


def test_a_publisher_is_found_by_name_alias_and_domain():
    for name in (
        "The Pilot Digest",
        "pilot digest",
        "PILOT DIGEST ONLINE",
        "pilot.example",
        "www.pilot.example",
        "Pilot.Example",
        "news.pilot.example",
    ):
        assert REGISTRY.named(name) == 7, name
    assert REGISTRY.named("News.example") == 9


@pytest.mark.parametrize("name", ["", " ", "—", "Pilot", "The Pilot Digest and others", "example", "pilot.example.evil.example", "l"])
def test_what_nobody_is_called_stands_for_nobody(name):
    assert REGISTRY.named(name) is None
    assert not REGISTRY.is_ambiguous(name)


def test_a_name_of_signs_only_is_nobodys():
    registry = Registry({1: Publisher("→", aliases=("—",))})
    assert registry.named("***") is None
    assert registry.named("→") is None


def test_a_name_that_two_publishers_have_is_left_open_though_each_has_others():
    registry = Registry({1: Publisher("The Post", aliases=("Lunnet Post",)), 2: Publisher("Post", aliases=("Harbour Post",))})
    assert registry.named("THE POST") is None
    assert registry.is_ambiguous("Post")
    assert registry.named("Lunnet Post") == 1
    assert registry.named("Harbour Post") == 2


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://pilot.example/x", 7),
        ("http://www.pilot.example:8080/x", 7),
        ("https://sport.news.pilot.example/", 7),
        ("PILOT.example", 7),
        ("https://press.pilot.example/x", 8),
        ("https://eu.press.pilot.example/x", 8),
        ("https://pilot.example@evil.example/", None),
        ("https://autopilot.example/", None),
        ("https://pilot.example.evil.example/", None),
        ("https://evil.example/pilot.example", None),
        ("https://example/", None),
        ("http://[broken", None),
        ("", None),
    ],
)
def test_an_address_is_of_the_publisher_with_the_longest_domain_it_lies_under(url, found):
    assert REGISTRY.at(url) == found


def test_only_agencies_are_agencies_and_only_by_names_that_are_theirs_alone():
    assert REGISTRY.is_agency("lw")
    assert not REGISTRY.is_agency("Digest")
    assert not REGISTRY.is_agency("nobody")
    assert not Registry({1: WIRE, 2: Publisher("LW")}).is_agency("LW")
