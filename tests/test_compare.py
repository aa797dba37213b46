"""Comparison: copies, excerpts and shared passages are told from quotations, menus and templates; spans quote both texts."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.matching.align import align
from syndtrack.matching.compare import compare
from syndtrack.models import Removal
from syndtrack.words import tokenise

LETTERS = {
    "english": "abcdefghijklmnopqrstuvwxyz",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "russian": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "hindi": "कखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
    "vietnamese": "aăâbcdđeêghiklmnoôơpqrstuưvxyạảấầẩẫậắằ",
    "turkish": "abcçdefgğhıijklmnoöprsştuüvyz",
    "german": "abcdefghijklmnopqrstuvwxyzäöüß",
}


def prose(seed: object, words: int, language: str = "english") -> str:
    """Sentences of made-up words: two seeds have no run of words in common."""
    draw = random.Random(f"{seed} {language}")  # noqa: S311 -- no secret, made-up words
    out = ["".join(draw.choices(LETTERS[language], k=draw.randint(2, 9))) for _ in range(words)]
    return " ".join(word + (".\n" if n % 60 == 59 else "." if n % 15 == 14 else "") for n, word in enumerate(out))


def compared(a: str, b: str):
    return compare(tokenise(a), tokenise(b))


def spans(a: str, b: str) -> list[tuple[str, str]]:
    return [(a[s.a_start : s.a_end], b[s.b_start : s.b_end]) for s in align(tokenise(a), tokenise(b))]


def test_a_text_matches_itself_whatever_the_typography():
    text = 'He said: "It\'s the first re-election," and left. ' + prose(1, 200)
    match = compared(text, text.replace('"', "”").replace("'", "’").replace("-", "\u2011").upper())
    assert match is not None
    assert (match.kind, match.resemblance, match.a_in_b, match.b_in_a) == ("verbatim", 1.0, 1.0, 1.0)
    assert match.shared_words == len(tokenise(text))


def test_independent_texts_do_not_match():
    assert compared(prose(1, 400), prose(2, 400)) is None


@pytest.mark.parametrize("language", LETTERS)
def test_an_edited_copy_is_found_in_every_script(language: str):
    words = prose(1, 300, language).split(" ")
    edited = [*words[:40], "neu", *words[41:150], *words[160:]]
    match = compared(" ".join(words), " ".join(edited))
    assert match is not None
    assert match.kind == "edited"
    assert match.b_in_a > 0.95


@pytest.mark.parametrize(("first", "last"), [(0x4E00, 0x9FFF), (0x3041, 0x3096), (0x0E01, 0x0E2E)])
def test_an_excerpt_is_found_in_scripts_without_spaces(first: int, last: int):
    draw = random.Random(5)  # noqa: S311 -- no secret, made-up words
    text = "".join(chr(draw.randint(first, last)) for _ in range(900))
    match = compared(text, text[300:500])
    assert match is not None
    assert match.kind == "excerpt"
    assert match.b_in_a == 1.0
    assert compared(text, "".join(reversed(text))) is None


def test_an_excerpt_in_a_longer_text_is_an_excerpt():
    match = compared(prose(1, 600), prose(2, 150) + "\n" + prose(1, 120))
    assert match is not None
    assert match.kind == "shared-passage"
    match = compared(prose(1, 600), prose(2, 60) + "\n" + prose(1, 200))
    assert match is not None
    assert match.kind == "excerpt"
    assert match.b_in_a > 0.7


def test_two_texts_that_hold_one_long_passage_share_it():
    passage = prose("passage", 150)
    match = compared(prose(1, 400) + passage + prose(2, 400), prose(3, 300) + passage + prose(4, 350))
    assert match is not None
    assert match.kind == "shared-passage"
    assert 145 <= match.shared_words <= 155


def test_a_shared_quotation_is_weaker_than_shared_prose():
    passage = prose("said", 75).replace("\n", " ")
    around = [prose(n, 130) for n in range(4)]
    assert compared(f"{around[0]}\n{passage}\n{around[1]}", f"{around[2]}\n{passage}\n{around[3]}") is not None
    short = " ".join(passage.split()[:65])
    assert compared(f"{around[0]}\n“{short}” he said\n{around[1]}", f"{around[2]}\n“{short}” she told us\n{around[3]}") is None


def test_menus_of_one_site_are_no_reporting():
    menu = "\n".join(prose(f"menu {n}", 4).strip() for n in range(12))
    assert compared(f"{menu}\n{prose(1, 180)}", f"{menu}\n{prose(2, 180)}") is None


WEATHER = (
    "Forecast for {}: highs near {} and lows around {} degrees. Expect a gentle breeze of {} kilometres an hour and a chance of showers of "
    "{} percent. The coming days bring little change; values stay close to what is usual at this time of the year, and the service has "
    "issued no warnings for the coast, the hills or the valleys of the district."
)
RESULTS = (
    "{} reported net profit of {} million euros for the quarter, after {} million a year before, on sales of {} billion. Shares closed {} "
    "percent higher. The company confirmed its outlook for the year and said that demand had held up in all regions and that costs had "
    "been kept under control by measures taken last year."
)


@pytest.mark.parametrize("form", [WEATHER, RESULTS])
def test_two_fillings_of_one_template_are_no_copies(form: str):
    one, other = form.format("Northtown", 24, 13, 11, 40), form.format("Lake City", 31, 19, 7, 65)
    assert compared(one, other) is None
    assert compared(one, one.replace("confirmed", "reaffirmed").replace("gentle", "light")) is not None


def test_a_copy_with_updated_figures_is_still_a_copy():
    old = f"At least 12 people were hurt on 5 May when 2 trains met at 7:40 near kilometre 18. {prose(1, 150)} Line 4 stays closed."
    new = old.replace("12", "17").replace("150", "160")
    match = compared(old, new)
    assert match is not None
    assert match.kind == "edited"


@pytest.mark.parametrize("words", [0, 5, 23])
def test_too_little_text_is_not_judged(words: int):
    assert compared(prose(1, words), prose(1, words)) is None


def test_forty_words_are_matched_only_with_what_holds_them():
    item = prose(1, 40)
    assert compared(item, prose(3, 30) + prose(1, 40)) is not None
    assert compared(item, " ".join(item.split()[:10]) + prose(2, 300)) is None


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_comparing_is_symmetric(shared: int, own_a: int, own_b: int):
    a, b = prose("a", own_a) + " " + prose("s", shared), prose("s", shared) + " " + prose("b", own_b)
    one, other = compared(a, b), compared(b, a)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one.resemblance == other.resemblance
        assert (one.a_in_b, one.b_in_a, one.kind) == (other.b_in_a, other.a_in_b, other.kind)


@given(st.lists(st.integers(0, 9), min_size=4, max_size=30), st.lists(st.integers(0, 9), min_size=4, max_size=30))
def test_comparing_shuffled_and_repeated_passages_is_symmetric_too(a: list[int], b: list[int]):
    one, other = (tokenise(" ".join(prose(n, 9).strip() + f" {at % 7}" for at, n in enumerate(drawn))) for drawn in (a, b))
    match, mirrored = compare(one, other), compare(other, one)
    assert (match is None) == (mirrored is None)
    if match is not None and mirrored is not None:
        assert match == replace(mirrored, a_in_b=mirrored.b_in_a, b_in_a=mirrored.a_in_b)


def test_one_span_holds_small_edits_and_quotes_both_originals():
    a = "Intro here. The minister opened the new bridge over the river on Monday, and thousands of people came to see it. Own end of a."
    b = "Something else. The minister opened the old bridge over the river on Monday and thousands of visitors came to see it! Other."
    ((in_a, in_b),) = spans(a, b)
    assert in_a == "The minister opened the new bridge over the river on Monday, and thousands of people came to see it"
    assert in_b == "The minister opened the old bridge over the river on Monday and thousands of visitors came to see it"


def test_spans_are_offsets_into_the_original_with_its_removals():
    text = prose(1, 60).replace("\n", " ")
    middle = text.index(" ", 200) + 1
    with_insert = text[:middle] + "READ ALSO: Something else\n" + text[middle:]
    removal = Removal("insert", middle, with_insert.index("\n") + 1)
    (span,) = align(tokenise(with_insert, [removal]), tokenise(text))
    assert with_insert[span.a_start : span.a_end].startswith(text[:100])
    assert text[span.b_start : span.b_end] == text.rstrip(" .")


def test_moved_passages_are_found_in_any_order():
    first, second = prose("one", 50).strip(), prose("two", 50).strip()
    found = spans(f"{first} {prose(3, 40)} {second}", f"{second} {prose(4, 40)} {first}")
    assert [len(in_a.split()) for in_a, _ in found] == [50, 50]
    assert found[0][1].split()[0] == first.split()[0]


@given(st.lists(st.integers(0, 7), min_size=1, max_size=40), st.lists(st.integers(0, 7), min_size=1, max_size=40))
def test_spans_lie_in_both_texts_apart_and_mostly_say_the_same(a: list[int], b: list[int]):
    text_a, text_b = (" ".join(prose(n, 7).strip() for n in drawn) for drawn in (a, b))
    end = 0
    for span in align(tokenise(text_a), tokenise(text_b)):
        assert end <= span.a_start < span.a_end <= len(text_a)
        assert 0 <= span.b_start < span.b_end <= len(text_b)
        end = span.a_end
        in_a, in_b = text_a[span.a_start : span.a_end].split(), text_b[span.b_start : span.b_end].split()
        assert in_a[0].strip(".") == in_b[0].strip(".")
        assert in_a[-1].strip(".") == in_b[-1].strip(".")
        assert len(set(in_a) & set(in_b)) * 2 >= len(set(in_a))


def test_a_text_aligned_with_itself_is_one_span():
    text = prose(1, 200) + prose(1, 200)
    assert spans(text, text) == [(text.strip(". \n"), text.strip(". \n"))]


def test_endless_repetition_is_bounded():
    a, b = tokenise("one two three " * 30_000), tokenise("three one two six " * 20_000)
    assert len(align(a, b)) <= 2_000
    assert compare(a, a) is None
