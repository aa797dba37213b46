"""Credits in any text at all: in order, quoting it, within bounds however it was made to hurt."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_credits import REGISTRY

from syndtrack.reading.credits import MAX_CREDITS, find_credits

FRAGMENTS = st.sampled_from(
    [
        "Via ",
        "Source: ",
        "Reuters",
        "AFP",
        "(AP) — ",
        "\n",
        " ",
        "https://a.example/b",
        "This article originally appeared on ",
        "h/t ",
        "told ",
        "新华社",
        "电",
        "«",
        "»",
        "“",
        "(",
        ")",
        "[",
        "/",
        "©",
        "Photo: ",
        ", via ",
        "LONDON",
        "3",
        ".",
        "İ",
        "ß",
        "́",
        "😀",
        "رويترز",
        "的",
        "By ",
        "Saltmarsh Mail",
        "{name}",
        "«(a",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=400), st.lists(FRAGMENTS, max_size=60).map("".join)))
def test_any_text_gives_credits_in_order_that_quote_it(text):
    end = 0
    for credit in find_credits(text, REGISTRY):
        assert credit.start is not None
        assert credit.end is not None
        assert end <= credit.start < credit.end
        assert credit.text == text[credit.start : credit.end]
        assert credit.name is None or credit.name == credit.name.strip() != ""
        end = credit.end


HOSTILE = {
    "one letter": "a" * 5_000_000,
    "one capital": "A" * 5_000_000,
    "one ideograph": "新" * 2_000_000,
    "credit lines": "Via Reuters\n" * 100_000,
    "datelines": "LONDON (AP) - " * 100_000,
    "citations": "told AFP " * 200_000,
    "brackets": "(" * 1_000_000,
    "captions": "(Photo: " * 200_000,
    "wordings": "This article originally appeared on " * 50_000,
    "blanks": "Via" + " " * 2_000_000 + "x",
    "newlines": "\n" * 2_000_000,
    "slashes": "/AP" * 500_000,
    "quotes": "“«" * 500_000,
    "dots": "U.S." * 500_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_read_within_bounds(name):
    assert len(find_credits(HOSTILE[name], REGISTRY)) <= MAX_CREDITS


@pytest.mark.parametrize("filler", ["x " * 1_000_000, "told AFP " * 50_000, "Talks went on.\n" * 50_000])
def test_the_last_line_counts_however_much_stands_before_it(filler):
    assert ("republication", "ZeroHedge") in [(c.kind, c.name) for c in find_credits(filler + "\n\nVia ZeroHedge", REGISTRY)]
