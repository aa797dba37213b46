"""Whether an entry carries its article."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polling_rig import long_text, sentence

from syndtrack.polling.fulltext import MAX_LOOKED_AT, MORE, carries_full_text, is_long_summary, plain, says_there_is_more, words

SHORT = f"<p>{sentence(0)}</p>"
LONG = long_text(sentences=20)
CHINESE = "市议会当天就港口的未来作出了决定，并将于下周公布细节。" * 20


@pytest.mark.parametrize(("content", "summary", "whole"), [
    (LONG, SHORT, True),
    (LONG, LONG, True),
    (LONG, None, True),
    (None, LONG, True),
    ("", LONG, True),
    (SHORT, None, False),
    (None, None, False),
    ("", "", False),
    (SHORT, SHORT, False),
    (LONG, long_text(sentences=18), False),
    (long_text(sentences=8), SHORT, True),
    (long_text(sentences=8), None, False),
    (LONG + "<p>The talks go on […]</p>", SHORT, False),
    (LONG + "<p>The talks go on&#8230;</p>", SHORT, False),
    (LONG + "<p>The talks go on...</p>", SHORT, False),
    (LONG + '<p><a href="/1">Read more</a></p>', SHORT, False),
    (LONG + '<p>The post <a href="/1">Harbour</a> appeared first on <a href="/">Harbour News</a>.</p>', SHORT, True),
    (LONG + "<p>It goes on [&hellip;]</p><p>The post <a>Harbour</a> appeared first on <a>Harbour News</a>.</p>", SHORT, False),
    (CHINESE, None, True),
    (CHINESE + "阅读全文", None, False),
])  # fmt: skip
def test_only_a_long_body_without_a_sign_of_more_is_the_whole_text(content, summary, whole):
    assert carries_full_text(content, summary) is whole


@pytest.mark.parametrize(("rule", "pattern"), MORE, ids=[f"{rule.language}: {rule.example}" for rule, _ in MORE])
def test_every_wording_matches_its_example_and_not_its_near_miss(rule, pattern):
    assert pattern.search(rule.example)
    assert says_there_is_more(rule.example)
    assert not pattern.search(rule.near_miss)
    assert not says_there_is_more(rule.near_miss)


def test_words_are_counted_in_scripts_with_and_without_blanks():
    assert words("One two, three.") == 3
    assert 8 <= words("市议会当天就港口的未来作出了决定") <= 16
    assert words("") == 0


def test_a_long_summary_is_told_from_a_short_one():
    assert is_long_summary(long_text(sentences=6))
    assert not is_long_summary(SHORT)


def test_tags_are_taken_out_and_entities_read():
    assert plain("<p>Fi<b>sh</b> &amp; chips</p><br/>a < b") == "Fish & chips\n\na < b"


@given(st.text(alphabet="<>a./!? &;…[]\n", max_size=400))
def test_any_text_is_judged(text):
    assert carries_full_text(text, text) in (True, False)


@pytest.mark.parametrize("body", ["<" * 2_000_000, "<a " * 500_000, "&" * 2_000_000, "read more " * 200_000, "The post " * 200_000])
def test_a_body_is_looked_at_within_bounds(body):
    assert len(plain(body)) <= MAX_LOOKED_AT
    assert carries_full_text(body, None) is carries_full_text(body[:MAX_LOOKED_AT], None)
