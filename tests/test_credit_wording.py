"""What tells quickly that a line holds no wording must never say so of one that does."""

import re

from hypothesis import given
from hypothesis import strategies as st

from syndtrack.publishers import Registry
from syndtrack.reading.credit_known import PART, SPACED, NamesIn, known_names
from syndtrack.reading.credit_wording import RUN, Sieve, needed, pattern, places, plain, rights_sieve, sieve, table

WORDINGS = [
    *(phrase for rule in table("wire")["contributed"] for phrase in rule["phrase"]),
    *table("wire")["copyright"]["marks"],
    *table("media")["words"]["phrases"],
    *table("media")["words"]["anywhere"],
    *table("media")["archives"]["names"],
]
MIXED = st.text(alphabet="abZ19_ -.'’éßİ图路ไफो,\n", max_size=60)


def readings(wording: str) -> list[str]:
    """Texts that a wording matches: each group with each of its choices."""
    group = re.search(r"\(([^()]*)\)|\[([^\[\]]*)\]", wording)
    if group is None:
        return [wording]
    choices = group[1].split("|") if group[1] is not None else [*group[2].split("|"), ""]
    return [done for choice in choices for done in readings(wording[: group.start()] + choice + wording[group.end() :])]


def test_a_sieve_passes_whatever_its_wordings_match():
    passing = sieve(WORDINGS)
    for wording in WORDINGS:
        for reading in readings(plain(wording)):
            if re.search(pattern(plain(wording)), reading):
                assert sieve([wording]).passes(reading), (wording, reading)
                assert passing.passes(f"before {reading} behind")


def test_a_sieve_holds_back_lines_of_other_words():
    assert not sieve(WORDINGS).passes("prices rose in all of the northern towns on monday, officials said")
    assert not rights_sieve().passes("prices rose (chiefly bread) in the north")
    assert rights_sieve().passes("(c) 2019 saltmarsh post")


def test_a_wording_of_choices_only_needs_one_of_them():
    assert needed("(photo|two words)") == {"photo", "words"}
    assert needed("[maybe]") == {""}
    assert Sieve(("",), ()).passes("anything")


@given(MIXED, st.sets(st.text(alphabet="abZ19é图फ", min_size=1, max_size=3), max_size=4))
def test_places_are_those_of_whole_runs(text, wanted):
    assert places(text, wanted) == [(found.start(), found[0]) for found in RUN.finditer(text) if found[0] in wanted]


@given(st.text(alphabet="abZ19_ -.'’éßफो", max_size=120))
def test_words_of_spaced_scripts_are_parted_alike(text):
    assert SPACED.findall(text) == PART.findall(text)


def test_a_name_is_found_however_often_other_texts_were_asked_about():
    names = known_names(Registry({}))
    for number in range(3):
        assert NamesIn(f"Nobody {number} is known here", names).all == []
