"""Furniture: keys of lines, and the decision from two counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.reading.furniture import LONGEST_LINE, is_furniture, line_key, line_keys


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
