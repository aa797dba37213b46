"""The lines of a text that cleaning looks at."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from syndtrack.reading.text_lines import MOST_LINES_AN_END, text_lines

LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
SIGNS = st.sampled_from("ab  \t\xa0\x1c\n\n\r\v\f\x85\u2028\u2029")


def all_lines(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in LINE.finditer(text) if not found[0].isspace()]


@given(st.text(SIGNS, max_size=60))
def test_lines_that_are_not_blank_are_found_with_the_blanks_around_their_words(text):
    assert text_lines(text) == all_lines(text)


@settings(max_examples=20)
@given(st.text(SIGNS, max_size=60), st.integers(0, 40), st.text(SIGNS, max_size=60))
def test_of_more_lines_than_are_looked_at_those_at_both_ends_are_found(before, left_out, after):
    text = before + "\nx \n" * (2 * MOST_LINES_AN_END + left_out) + after
    every = all_lines(text)
    assert text_lines(text) == every[:MOST_LINES_AN_END] + every[-MOST_LINES_AN_END:]


def test_blank_lines_are_no_lines():
    assert text_lines(" \n" * 100_000) == []
    assert text_lines("") == []
