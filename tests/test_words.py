"""Words: one form for all typographies, in every script, each with its place in the original text."""

import unicodedata

import pytest
import regex
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from syndtrack.models import Removal
from syndtrack.words import (
    LINE_START,
    LONGEST_FOLDED,
    MAX_LENGTH,
    MAX_WORD_LENGTH,
    MAX_WORDS,
    NUMERIC,
    QUOTED,
    folded_words,
    is_overlong,
    normal_form,
    tokenise,
)


def words_in(text: str) -> list[str]:
    words = tokenise(text)
    return [text[start:end] for start, end in zip(words.starts, words.ends, strict=True)]


def flagged(text: str, flag: int) -> list[str]:
    return [word for word, flags in zip(words_in(text), tokenise(text).flags, strict=True) if flags & flag]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“Don’t re–elect the ﬁnance office”", '"Don\'t re-elect the finance oﬃce"'),
        ("STRAßE Straße", "strasse STRASSE"),
        ("İSTANBUL IŞIK ILIK", "istanbul ışık ılık"),
        ("i\u0307stanbul", "istanbul"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("Việt Nam", "Vie\u0323\u0302t Nam"),
        ("Ещё ёлка", "Еще елка"),
        ("السلام ١٢٣ ـــ كتـــاب", "السلام 123 كتاب"),
        ("ＡＢＣ１２３ ｶﾞｰﾄﾞ", "abc123 ガード"),
        ("re\u00adpor\u200bter", "reporter"),
        ("cœur æsthetic", "coeur aesthetic"),
        ("п’ять пʼять", "п'ять п`ять"),
        ("naïve", "nai\u0308ve"),
        ("județ ţară", "județ țară"),
        ("น้ำ", "น้ํา"),
        ("हिन्दी में", "हिन्दी  में!"),
        ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
        ("ایران کتاب", "ايران كتاب"),
    ],
)
def test_two_typographies_give_the_same_words(one: str, other: str):
    assert tokenise(one).hashes.tolist() == tokenise(other).hashes.tolist()
    assert len(tokenise(one)) > 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The U.N. said: 3,500 people.", ["The", "U", "N", "said", "3", "500", "people"]),
        ("新华社北京1月5日电 iPhone手机", [*"新华社北京", "1", "月", "5", *"日电", "iPhone", *"手机"]),
        ("東京タワーは、高い。", list("東京タワーは高い")),
        ("นายกรัฐมนตรี", ["นา", "ย", "ก", "รั", "ฐ", "ม", "น", "ต", "รี"]),
        ("ភាសាខ្មែរ", ["ភា", "សា", "ខ្", "មែ", "រ"]),
        ("ພາສາລາວ", ["ພາ", "ສາ", "ລາ", "ວ"]),
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("हिन्दी में समाचार", ["हिन्दी", "में", "समाचार"]),
        ("قال الرئيسُ إنّه", ["قال", "الرئيسُ", "إنّه"]),
        ("Президент сказал", ["Президент", "сказал"]),
        ("Ο πρόεδρος είπε", ["Ο", "πρόεδρος", "είπε"]),
        ("Thủ tướng nói", ["Thủ", "tướng", "nói"]),
        ("👍🏽 ok ‼️", ["ok"]),
        ("", []),
        ("\u0301 -- …", []),
    ],
)
def test_words_of_many_scripts(text: str, words: list[str]):
    assert words_in(text) == words


def test_words_of_other_scripts_are_told_apart():
    assert len({*map(normal_form, ["reporter", "reported", "отчёт", "отчет", "صحيفة", "新", "闻"])}) == 6


@given(st.text())
def test_every_word_lies_in_the_text_in_order_and_without_overlap(text: str):
    words = tokenise(text)
    assert all(0 <= start < end <= len(text) for start, end in zip(words.starts, words.ends, strict=True))
    assert all(end <= start for end, start in zip(words.ends[:-1], words.starts[1:], strict=True))
    assert len(words.weights) == len(words.flags) == len(words.hashes) == len(words)


@given(st.text(st.sampled_from("abcdefg äßé 12.,\n")))
def test_spaced_scripts_are_cut_as_unicode_words_are(text: str):
    assert words_in(text) == regex.findall(r"[\p{L}\p{M}\p{N}]+", text)


@given(st.text(), st.text(), st.text())
def test_a_removal_leaves_the_words_around_it_at_their_places(before: str, cut: str, after: str):
    text = f"{before}\n{cut}\n{after}"
    removal = Removal("insert", len(before), len(before) + len(cut) + 2)
    words = tokenise(text, [removal])
    assert words.hashes.tolist() == [*tokenise(before).hashes.tolist(), *tokenise(after).hashes.tolist()]
    assert not any(removal.start <= start < removal.end for start in words.starts)


def test_a_shingle_runs_across_a_removal():
    whole = "one two three four five six"
    cut = "one two three READ ALSO four five six"
    removed = tokenise(cut, [Removal("insert", cut.index("READ"), cut.index("four"))])
    assert removed.shingles.tolist() == tokenise(whole).shingles.tolist()


@given(st.text(st.sampled_from("ab 12 新闻東 ไทย\n"), max_size=200))
def test_a_shingle_is_the_hash_of_its_words_hashes(text: str):
    words = tokenise(text)
    runs = [words.hashes[start:end] for start, end in enumerate(words.shingle_ends)]
    assert [xxhash.xxh32_intdigest(run.astype("<u4").tobytes()) for run in runs] == words.shingles.tolist()


@pytest.mark.parametrize(("text", "size"), [("a b c d e f g", 5), ("一二三四五六七八九十一二", 10), ("กขคงจฉชซฌญฎฏฐฑฒณดต", 15)])
def test_a_shingle_is_five_words_or_ten_ideographs_or_fifteen_letters(text: str, size: int):
    assert tokenise(text).shingle_ends[0] == size


def test_numbers_lines_and_quotations_are_flagged():
    text = 'First line says 15 or B52.\n“Second line,” he said, "is short" and 6\' tall.\n« Troisième » fin\nnot "closed'
    assert flagged(text, NUMERIC) == ["15", "B52", "6"]
    assert flagged(text, LINE_START) == ["First", "Second", "Troisième", "not"]
    assert flagged(text, QUOTED) == ["Second", "line", "is", "short", "Troisième", "closed"]


def test_a_mark_that_never_closes_quotes_no_whole_text():
    assert flagged('a 12" record ' + "and so on " * 400, QUOTED) == []
    assert flagged("“" + "word " * 1_000, QUOTED) == []


CLOSED_BY = {'"': '"”', "”": "”", "“": '”"', "„": '“”"', "‟": "”", "«": "»", "»": "«", "「": "」", "『": "』", "＂": "＂"}


def quoted_one_by_one(text: str) -> list[str]:
    """Words between quotation marks, found sign by sign."""
    found, closing = [], ""
    for at, sign in enumerate(text):
        if closing and sign in closing + "\n":
            closing = ""
        elif not closing and sign in CLOSED_BY and (sign not in '"”' or at == 0 or text[at - 1] in " \t\n\u00a0([{—–-:'‘"):
            closing = CLOSED_BY[sign]
        elif closing and sign.isalpha():
            found.append(sign)
    return found


@given(st.text(st.sampled_from("".join(CLOSED_BY) + "」』 \n(.—"), max_size=60))
def test_quotations_are_what_stands_from_a_mark_to_the_next_that_closes_it(marks: str):
    letters = (chr(ord("a") + n % 26) for n in range(60))
    text = "".join(f"{mark} {letter} " if n % 3 == 0 else mark for n, (mark, letter) in enumerate(zip(marks, letters, strict=False)))
    assert flagged(text, QUOTED) == quoted_one_by_one(text)


def test_digits_that_only_newer_tables_know_stay_as_they_are():
    assert len(tokenise("\U00011f50 of the year ١٢")) >= 4


def test_what_is_written_out_is_counted_before_it_is_normalised():
    assert not is_overlong("\ufdfa" * 3, 54)
    assert is_overlong("\ufdfa" * 3, 53)
    assert not is_overlong("…№™Ǆ한글", 20)
    assert len(normal_form("\ufdfa" * MAX_WORD_LENGTH)) == MAX_WORD_LENGTH
    assert normal_form("ﷺ") == normal_form("صلى الله عليه وسلم")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_text_is_written_out_to_much_more_than_is_counted(text: str):
    assert len(unicodedata.normalize("NFKC", text)) <= 4 * len(text) or is_overlong(text, 4 * len(text))


def test_of_a_headline_longer_than_any_the_start_is_folded():
    assert folded_words("Word, " * 10_000) == folded_words(("Word, " * 10_000)[:LONGEST_FOLDED])


@pytest.mark.parametrize(
    "text", ["a" * 5_000_000, "a " * 2_500_000, "新" * 2_500_000, '"' * 1_000_000, "e" + "\u0301" * 1_000_000, "\n" * 1_000_000]
)
def test_texts_of_any_size_are_bounded(text: str):
    words = tokenise(text)
    assert len(words) <= MAX_WORDS
    assert all(words.ends <= MAX_LENGTH)
