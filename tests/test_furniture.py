"""Furniture: keys of lines, and the decision from two counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.reading.furniture import LONGEST_LINE, is_furniture, keyed_lines, line_key, line_keys
from syndtrack.reading.text_lines import MOST_LINES_AN_END


@given(st.text(max_size=400))
def test_a_key_fits_a_signed_64_bit_column(line):
    key = line_key(line)
    assert key is None or -(2**63) <= key < 2**63


def test_lines_that_differ_in_case_width_space_or_numbers_have_one_key():
    assert line_key("  12 Comments\t on THIS page") == line_key("3 comments on this\u00a0page") == line_key("３ comments on this page")
    assert line_key("12 comments") != line_key("12 commenters")


@pytest.mark.parametrize("line", ["", "   ", "***", "—", "word " * (LONGEST_LINE // 5 + 1)])
def test_blank_lines_rules_of_stars_and_paragraphs_have_no_key(line):
    assert line_key(line) is None


def test_the_keys_of_a_text_are_those_of_its_lines_whatever_breaks_them():
    assert line_keys("Menu\r\nA story.\u2028Menu\n\n") == {line_key("Menu"), line_key("A story.")}


def test_of_very_many_lines_only_those_that_can_be_cut_are_counted():
    text = "".join(f"{chr(0x4E00 + n)}\n" for n in range(5 * MOST_LINES_AN_END))
    assert len(line_keys(text)) == 2 * MOST_LINES_AN_END


def test_a_key_comes_with_its_line_as_it_stands():
    assert set(keyed_lines("  3 Comments \r\n\nA story.").values()) == {"  3 Comments ", "A story."}


def test_a_line_that_is_thousands_of_characters_written_out_has_no_key():
    assert line_key("\ufdfa said so, \u2460 and \ufb01rst") is not None
    assert line_key("\ufdfa" * LONGEST_LINE) is None


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 50))
def test_more_pages_never_make_furniture_less_and_more_articles_never_more(pages, others, more):
    articles = pages + others
    assert is_furniture(pages + more, articles + more) >= is_furniture(pages, articles)
    assert is_furniture(pages, articles) >= is_furniture(pages, articles + more)


@pytest.mark.parametrize(("pages", "articles"), [(8, 8), (8, 80), (9, 90), (10, 100), (100, 1000)])
def test_a_line_of_eight_pages_and_a_tenth_of_all_is_furniture(pages, articles):
    assert is_furniture(pages, articles)


@pytest.mark.parametrize(("pages", "articles"), [(0, 0), (3, 3), (7, 7), (7, 70), (7, 80), (8, 81), (9, 91), (99, 1000)])
def test_a_line_of_fewer_pages_or_of_less_than_a_tenth_is_not(pages, articles):
    assert not is_furniture(pages, articles)
