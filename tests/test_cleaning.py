"""Cleaning: what is cut from a text before it is matched, and what stays."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndtrack.models import Credit, kept_text
from syndtrack.reading.cleaning import clean
from syndtrack.reading.furniture import line_key
from syndtrack.reading.removal_rules import LONGEST_LINE, MOST_SEARCHES, Effort, fold, raw_rules, rule_of
from syndtrack.reading.text_lines import MOST_LINES_AN_END

TABLES = [(kind, table) for kind, table in raw_rules() if kind not in ("prose", "group")]
NAMES = [f"{table['rule']}-{table['language']}-{kind}-{n}" for n, (kind, table) in enumerate(TABLES)]
FORMS = ("strong", "weak", "open", "kicker")
LABELS = [(form, phrase) for kind, table in TABLES if kind == "label" for form in FORMS for phrase in table.get(form, ())]
LANGUAGES = "en de fr es pt it nl pl ru uk tr sv da no fi el ar fa he hi zh ja ko vi id cs sk ro hu bg hr ca th bn sw"

PROSE = [
    "He asked readers to read also the second volume, and few did.",
    "The ministry said the related documents would be published in May.",
    "“Read also the small print,” the lawyer told the court.",
    "More than forty people signed up to help, and the newsletter of the parish thanked them.",
    "She shared the story with her mother, who follows nobody on Facebook.",
    "The cookies were sold out by noon, as the baker had feared.",
    "Die Anzeige gegen den Bürgermeister ging am Montag ein.",
    "Il faut lire aussi entre les lignes, disait le vieux rédacteur.",
    "La publicidad subió un tres por ciento en el primer trimestre.",
    "Он попросил читателей прочитать также второй том.",
    "記事はその日のうちに削除された。",
    "该报的读者也阅读了相关的报道和评论。",
]


def removed(text, credits=(), furniture=frozenset()):
    return [(removal.rule, text[removal.start : removal.end]) for removal in clean(text, credits, furniture)]


def credit(text, kind, stated):
    start = text.index(stated)
    return Credit(kind, stated, start=start, end=start + len(stated))


@pytest.mark.parametrize(("kind", "table"), TABLES, ids=NAMES)
def test_every_rule_takes_its_example_under_its_name(kind, table):
    assert removed(f"Before.\n{table['example']}\nAfter.") == [(table["rule"], table["example"])]


@pytest.mark.parametrize(("kind", "table"), TABLES, ids=NAMES)
def test_every_rule_leaves_its_near_miss(kind, table):
    assert rule_of(fold(table["near_miss"])) is None
    assert clean(table["near_miss"], ()) == ()


@pytest.mark.parametrize(("kind", "table"), TABLES, ids=NAMES)
def test_every_rule_says_why_it_is_there(kind, table):
    assert table["reason"]
    assert table["language"]


def test_every_label_with_a_colon_takes_its_headline():
    labels = [phrase.upper() if form == "kicker" else phrase.capitalize() for form, phrase in LABELS]
    lines = [f"{label}: Harbour strike enters its second week" for label in labels]
    assert [line for line in lines if removed(f"Prose before it.\n\n{line}\n\nProse after it.") != [("read-also", line)]] == []


def test_every_strong_label_in_capitals_needs_no_colon():
    lines = [f"{phrase.upper()}  Harbour Strike Enters Its Second Week" for form, phrase in LABELS if form == "strong"]
    assert [line for line in lines if removed(line) != [("read-also", line)]] == []


def test_there_are_labels_in_many_languages():
    spoken = {table["language"] for kind, table in TABLES if kind == "label"}
    assert spoken >= set(LANGUAGES.split())


@pytest.mark.parametrize("prose", PROSE)
def test_prose_that_only_holds_such_words_stays(prose):
    assert removed(prose) == []


@pytest.mark.parametrize(
    "line",
    [
        "► READ ALSO: Harbour strike enters its second week",
        "[Read more: Harbour strike enters its second week]",
        "(ALSO READ | Harbour strike enters its second week)",
        "READ\u00a0ALSO\u00a0 Harbour strike enters its second week",
        "ＲＥＡＤ ＡＬＳＯ： Harbour strike enters its second week",
        "\tRelated »  Harbour strike enters its second week ",
        "LEA TAMBIEN: La huelga del puerto",
        "A LIRE AUSSI : La grève du port",
        "SİZİN İÇİN SEÇTİKLERİMİZ: Liman grevi",
    ],
)
def test_marks_widths_spaces_and_missing_accents_do_not_hide_an_insert(line):
    assert removed(f"One.\n{line}\nTwo.") == [("read-also", line)]


@pytest.mark.parametrize(
    "line",
    [
        "Exclusive: The minister will resign on Monday, two aides say.",
        "Analysis: Why the harbour strike goes on",
        "More: A Life",
        "Related: the two companies share a founder.",
        "“READ ALSO: THE SMALL PRINT” said the poster",
        "More: she wanted a boat of her own",
        "Recommended: two eggs a day",
        "Also on Monday: Harbour board votes on the new pier",
        "Also on the agenda: Harbour board votes on the new pier",
        "More on that later: first the ferry has to leave",
        "Also on 5 May: Harbour board votes on the new pier",
        "Subscribe to the theory or not, the facts remain.",
        "Subscribe to the view that tides can wait and you will miss the boat.",
    ],
)
def test_a_label_before_a_lead_a_title_or_a_quotation_is_none(line):
    assert removed(line) == []


def test_a_label_on_a_line_of_its_own_takes_the_headlines_under_it_and_no_prose():
    text = "Prose.\nRelated stories:\nHarbour strike enters its second week\n• Pilots join the walkout\nThe pilots stay out.\nProse."
    assert removed(text) == [
        ("read-also", "Related stories:"),
        ("read-also", "Harbour strike enters its second week"),
        ("read-also", "• Pilots join the walkout"),
    ]


def test_a_list_of_headlines_may_stand_a_blank_line_below_its_label_if_they_are_no_mere_headings():
    label = "READ ALSO"
    assert removed(f"{label}\n\nHarbour strike enters its second week\n\nProse.") == [
        ("read-also", label),
        ("read-also", "Harbour strike enters its second week"),
    ]
    assert removed(f"{label}\n\nThe walkout\n\nProse.") == [("read-also", label)]


def test_a_list_under_a_label_ends_after_six_headlines():
    headlines = [f"Headline number {n} of the harbour strike" for n in range(9)]
    assert len(removed("\n".join(["MORE STORIES", *headlines]))) == 7


@pytest.mark.parametrize(
    "prose",
    [
        "Who will pay for all the broken windows of the town!",
        "But who will mend the quay before the winter storms?",
        "Nobody knew what the storm had left of the old quay …",
        "“Will the ferry come back?” asked a woman with two suitcases",
        "The pilot said: “The sea was calm, and then it was not”",
        "»Kommt die Fähre wieder?« fragte eine Frau mit zwei Koffern",
        "「船はまだ来ない」と女性は話した",
        "港は閉まったままだろうか？",
        "船员们都已经离开了港口！",
        "هل تعود العبارة إلى الميناء قبل المساء؟",
        "नाव कब लौटेगी, यह कोई नहीं जानता।",
        "ወደቡ እስከ ሰኞ ድረስ ዝግ ነው።",
        "Three things were asked of the harbour board that night:",
        "The harbour office had waited for the tide since the early morning, and with it the pilots, the crews and a dozen families",
    ],
)
def test_a_sentence_under_a_label_ends_its_list(prose):
    text = f"READ ALSO\nHarbour strike enters its second week\n{prose}\nPilots join the walkout of the crews"
    assert [words for _, words in removed(text)] == ["READ ALSO", "Harbour strike enters its second week"]


@pytest.mark.parametrize(
    ("label", "headline", "paragraphs"),
    [
        ("อ่านเพิ่มเติม", "เรือเฟอร์รี่เกยตื้นนอกท่าเรือ", ["ท่าเรือยังคงปิดในวันจันทร์", "ลูกเรือกลับบ้านแล้ว", "ไม่มีใครได้รับบาดเจ็บ"]),
        ("READ ALSO", "သင်္ဘော ကမ်းပေါ်တင်", ["ဆိပ်ကမ်းကို တနင်္လာနေ့တွင် ပိတ်ထားသည်။", "လူတိုင်း အိမ်ပြန်ကြသည်။"]),
    ],
)
def test_in_scripts_without_stops_or_spaces_one_short_headline_follows_a_label(label, headline, paragraphs):
    assert [words for _, words in removed("\n".join([label, headline, *paragraphs]))] == [label, headline]
    long = paragraphs[0].removesuffix("။") * 4
    assert [words for _, words in removed(f"{label}\n{long}\n{headline}")] == [label]


def test_a_dateline_goes_with_its_dash_and_leaves_the_paragraph():
    text = "LONDON (AFP) - The harbour stayed shut on Monday."
    assert removed(text, [credit(text, "wire", "LONDON (AFP)")]) == [("dateline", "LONDON (AFP) - ")]
    assert removed(text, [credit(text, "wire", "LONDON (AFP) - ")]) == [("dateline", "LONDON (AFP) - ")]


def test_a_credit_that_is_its_line_takes_the_line():
    text = "Prose.\n\n(Via Pierhead Notes).\nBy Ines Quandt, Reuters\nh/t Quay Notes"
    stated = [("republication", "Via Pierhead Notes"), ("wire", "By Ines Quandt, Reuters"), ("hat-tip", "h/t Quay Notes")]
    credits = [credit(text, kind, words) for kind, words in stated]
    assert removed(text, credits) == [
        ("credit-line", "(Via Pierhead Notes)."),
        ("credit-line", "By Ines Quandt, Reuters"),
        ("credit-line", "h/t Quay Notes"),
    ]


def test_a_credit_within_prose_and_a_cited_one_stay():
    text = "The text came via Pierhead Notes, whose editor has since left the town.\nAccording to AFP."
    assert removed(text, [credit(text, "republication", "via Pierhead Notes"), credit(text, "cited", "According to AFP")]) == []


def test_a_pictures_credit_takes_its_caption_but_only_itself_from_a_paragraph():
    caption = "Two pickets warm their hands over a brazier (AP)"
    assert removed(caption, [credit(caption, "media", "(AP)")]) == [("caption", caption)]
    paragraph = "(Photo: AP) " + "The harbour stayed shut on Monday, and the pickets stayed where they were. " * 6
    assert removed(paragraph, [credit(paragraph, "media", "(Photo: AP)")]) == [("caption", "(Photo: AP)")]


def test_credits_from_structure_have_no_place_in_the_text_and_cut_nothing():
    assert removed("Prose.", [Credit("republication", "https://example.org/a", url="https://example.org/a", field="canonical")]) == []


def test_a_line_of_furniture_goes_and_a_line_that_a_rule_knows_keeps_that_rules_name():
    furniture = {line_key("The Quayside Mirror has 12 readers"), line_key("Advertisement")}
    text = "Prose.\nThe Quayside Mirror has 4,711 readers\nAdvertisement"
    assert removed(text, (), furniture) == [("advert", "Advertisement")]
    assert removed(text.replace("4,711", "4711"), (), furniture)[0] == ("furniture", "The Quayside Mirror has 4711 readers")


def test_a_removal_covers_its_line_without_the_break_whatever_breaks_it():
    for end in ("\n", "\r\n", "\u2028", "\x85"):
        text = f"One.{end}  Advertisement {end}Two."
        assert kept_text(text, clean(text, ())) == f"One.{end}{end}Two."


LINES = st.one_of(
    st.sampled_from([table[which] for _, table in TABLES for which in ("example", "near_miss")]),
    st.sampled_from(PROSE),
    st.sampled_from([phrase for _, phrase in LABELS]).flatmap(
        lambda phrase: st.sampled_from([phrase, phrase.upper() + ":", f"{phrase}: Strike enters second week", f"{phrase} Strike Enters"])
    ),
    st.sampled_from(["", " ", "Strike enters its second week at sea", "LONDON (AFP) - READ ALSO: Strike goes on", "Photo: AP Advert"]),
    st.text(max_size=300),
)
TEXTS = st.lists(LINES, max_size=12).map("\n".join)


@st.composite
def texts_with_credits(draw):
    text = draw(TEXTS)
    spans = draw(st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, 60)), max_size=5))
    kinds = st.sampled_from(["republication", "wire", "hat-tip", "cited", "media"])
    return text, [Credit(draw(kinds), text[a : a + n], start=a, end=min(a + n, len(text))) for a, n in spans]


@settings(max_examples=150, deadline=None)
@given(texts_with_credits())
def test_removals_are_ordered_disjoint_and_never_empty(text_and_credits):
    text, credits = text_and_credits
    at = 0
    for removal in clean(text, credits):
        assert at <= removal.start < removal.end <= len(text)
        at = removal.end


@settings(max_examples=150, deadline=None)
@given(texts_with_credits())
def test_kept_and_removed_are_the_whole_text(text_and_credits):
    text, credits = text_and_credits
    removals = clean(text, credits)
    cut = {at for removal in removals for at in range(removal.start, removal.end)}
    assert kept_text(text, removals) == "".join(letter for at, letter in enumerate(text) if at not in cut)
    assert len(cut) == sum(removal.end - removal.start for removal in removals)


@settings(max_examples=300, deadline=None)
@given(texts_with_credits(), st.integers(1, 5))
def test_cleaning_what_was_kept_removes_nothing_more(text_and_credits, every):
    text, credits = text_and_credits
    furniture = {key for line in text.split("\n")[::every] if (key := line_key(line)) is not None}
    kept = kept_text(text, clean(text, credits, furniture))
    assert clean(kept, (), furniture) == ()


def test_five_megabytes_of_one_letter_are_prose():
    assert clean("a" * 5_000_000, ()) == ()
    assert clean(" " * 5_000_000, ()) == ()


def test_four_thousand_inserts_all_go():
    assert len(clean("READ ALSO  Strike enters its second week\n" * 2 * MOST_LINES_AN_END, ())) == 2 * MOST_LINES_AN_END


def test_of_very_many_lines_only_those_at_both_ends_are_looked_at():
    line = "READ ALSO  Strike enters its second week\n"
    found = clean(line * 100_000, ())
    assert len(found) == 2 * MOST_LINES_AN_END
    assert found[MOST_LINES_AN_END - 1].start == (MOST_LINES_AN_END - 1) * len(line)
    assert found[MOST_LINES_AN_END].start == (100_000 - MOST_LINES_AN_END) * len(line)


def test_five_megabytes_of_short_credits_are_cleaned():
    text = "Via AP\n" * 700_000
    credits = [Credit("republication", "Via AP", start=at, end=at + 6) for at in range(0, 700_000, 7)]
    assert {removal.rule for removal in clean(text, credits)} == {"credit-line"}


def test_a_line_with_very_many_credits_is_cleaned_like_any_other():
    text = "Photo: AP, " * 50_000
    credits = [Credit("media", "Photo: AP", start=at, end=at + 9) for at in range(0, len(text), 11)]
    assert len(clean(text, credits)) == 50_000


@pytest.mark.parametrize(
    "filler", ["newsletter ", "our inbox ", "facebook 1", "订阅", "シェア", " ", "x@", "w.", "subscribe to ", "cookie ", "() ", "– "]
)
def test_lines_built_to_keep_patterns_busy_are_answered(filler):
    line = ("Sign up " + filler * LONGEST_LINE)[: LONGEST_LINE - 1] + "!"
    clean("\n".join([line] * 500), ())


def test_a_text_made_of_cues_has_a_bounded_number_of_patterns_looked_for():
    cues = [cue for kind, table in TABLES if kind == "cue" for cue in table["cues"]]
    effort = Effort()
    for at in range(2 * MOST_SEARCHES):
        rule_of(fold(f"Words {' '.join(cues[at % len(cues) :])}"[:LONGEST_LINE]), effort)
    assert effort.left == 0


def test_a_line_that_is_thousands_of_characters_written_out_is_prose():
    assert fold("\ufdfa" * LONGEST_LINE).low == ""
    assert clean("\ufdfa" * LONGEST_LINE, ()) == ()


def test_patterns_are_written_folded():
    for _, table in TABLES:
        for pattern in (table.get("then", ""), table.get("pattern", "")):
            assert not set(re.sub(r"\\[A-Z]", "", pattern)) & set(string.ascii_uppercase), pattern
            assert not re.search(r"[*+}]\)[*+{]", pattern.replace("*+)", "")), pattern  # nothing repeats what repeats
