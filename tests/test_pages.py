"""Articles: from pages, feed bodies and texts to what they say of themselves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import fragment_fromstring, tostring

from syndtrack.errors import ArticleError
from syndtrack.models import Link, Reading, Submission
from syndtrack.reading.markup import drop
from syndtrack.reading.pages import MAX_LINKS, MAX_SIZE, read

HERE = "https://paper.example/2021/ferry"
SEEN = datetime(2021, 6, 6, tzinfo=UTC)

PARAGRAPHS = (
    "A ferry with ninety people on board ran aground off the northern breakwater on Saturday morning, the harbour office said.",
    "Nobody was hurt. The vessel will be towed to the dry dock once the tide allows it, which is expected late on Sunday night.",
    "“We felt a jolt and then it was very quiet,” said a passenger who had been standing on the upper deck with her two sons.",
    "The operator cancelled all crossings until Tuesday and promised to refund every ticket that had been bought for the weekend.",
)
MENU = "".join(f'<li><a href="/{name.lower()}">{name}</a></li>' for name in ("Home", "World", "Business", "Sport", "Weather"))
FOOTER = '<footer><p>© 2021 Harbour Paper. All rights reserved.</p><ul><li><a href="/about">About us</a></li></ul></footer>'
RELATED = '<aside class="related"><h3>Related</h3><ul><li><a href="/tunnel">Tunnel opens a year late</a></li></ul></aside>'


def submitted(html: str | None = None, **fields: object) -> Submission:
    return Submission(HERE, SEEN, html=html, **fields)  # type: ignore[arg-type] - fields of the record, by name


def page(body: str, head: str = "", title: str = "Ferry runs aground") -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title} - Harbour Paper</title>{head}</head><body>'
        f"<header><nav><ul>{MENU}</ul></nav></header><main><article><h1>{title}</h1><div class='article-body'>{body}</div></article></main>"
        f"{RELATED}{FOOTER}</body></html>"
    )


def prose(*extra: str, before: int = 2) -> str:
    paragraphs = [f"<p>{p}</p>" for p in PARAGRAPHS]
    return "".join([*paragraphs[:before], *extra, *paragraphs[before:]])


def lines_of(html: str) -> list[str]:
    return read(submitted(html)).text.split("\n")


def test_a_page_is_read_without_headline_menu_boxes_and_footer():
    reading = read(submitted(page(prose())))
    assert reading.text == "\n".join(PARAGRAPHS)
    assert reading.title == "Ferry runs aground"


def test_a_credit_at_the_end_that_is_a_link_stays_with_its_address():
    reading = read(submitted(page(prose('<p>Via <a href="https://coastwire.example/7">Coast Wire</a></p>', before=4))))
    assert reading.text.split("\n") == [*PARAGRAPHS, "Via Coast Wire"]
    assert reading.links == (Link("https://coastwire.example/7", "Coast Wire"),)


def test_a_pointer_to_another_article_stays_where_it_stood():
    insert = '<p><a href="/bridge">READ ALSO: Bridge closed for the summer</a></p>'
    assert lines_of(page(prose(insert))) == [*PARAGRAPHS[:2], "READ ALSO: Bridge closed for the summer", *PARAGRAPHS[2:]]


def test_a_lost_credit_comes_back_also_where_each_paragraph_has_a_box_of_its_own():
    boxes = "".join(f'<div class="block"><p>{p}</p></div>' for p in PARAGRAPHS)
    credit = '<div class="block"><p>This article first appeared on <a href="https://coastwire.example/">Coast Wire</a>.</p></div>'
    assert lines_of(page(credit + boxes))[0] == "This article first appeared on Coast Wire."


def test_links_of_the_body_are_absolute_and_those_around_it_are_left_out():
    linked = PARAGRAPHS[0].replace("harbour office", '<a href="/office?x=1#top">harbour office</a>')
    reading = read(submitted(page(f"<p>{linked}</p>" + prose())))
    assert reading.links == (Link("https://paper.example/office?x=1#top", "harbour office"),)


def test_links_are_bounded():
    many = "".join(f'<a href="/{n}">w{n}</a> ' for n in range(500))
    assert len(read(submitted(f"<p>{many}</p>")).links) == MAX_LINKS


def test_what_the_page_states_comes_along():
    head = '<meta property="article:published_time" content="2021-06-05T10:00:00+02:00"><link rel="canonical" href="https://coastwire.example/7">'
    reading = read(submitted(page(prose("<figure><figcaption>Photo: Ben Pier/Lens Agency</figcaption></figure>"), head)))
    assert reading.published == datetime(2021, 6, 5, 8, tzinfo=UTC)
    assert reading.canonical == "https://coastwire.example/7"
    assert [c.field for c in reading.stated] == ["canonical"]
    assert ("caption", "Photo: Ben Pier/Lens Agency") in reading.beside


def test_what_was_submitted_fills_what_the_page_lacks():
    when = datetime(2021, 6, 1, tzinfo=UTC)
    reading = read(submitted(page(prose()), title="Ferry aground", published=when))
    assert (reading.title, reading.published) == ("Ferry aground", when)


def test_paragraphs_parted_by_breaks_in_a_layout_table_are_lines():
    body = "<br><br>".join(PARAGRAPHS)
    inner = f"<table><tr><td><h1>Ferry runs aground</h1></td></tr><tr><td><font>{body}</font></td></tr></table>"
    html = (
        f"<html><body><table><tr><td><ul>{MENU}</ul></td><td>{inner}</td></tr><tr><td>© 2021 Harbour Paper</td></tr></table></body></html>"
    )
    assert lines_of(html)[:4] == list(PARAGRAPHS)


def test_a_page_that_is_one_form_is_read():
    html = page(prose()).replace("<header>", "<form><input type=hidden><header>").replace("</body>", "</form></body>")
    assert PARAGRAPHS[1] in lines_of(html)


def test_a_body_in_several_containers_is_read_whole():
    parts = [PARAGRAPHS[:2], PARAGRAPHS[2:], [p.replace("ferry", "pilot boat") + " " + p for p in PARAGRAPHS]]
    html = "".join(
        f"<div class='body grid'>{''.join(f'<p>{p}</p>' for p in part)}</div><div class='ad'>Advertisement</div>" for part in parts
    )
    text = read(submitted(f"<!DOCTYPE html><html><body><article>{html}</article>{FOOTER}</body></html>")).text
    assert all(p in text for part in parts for p in part)


def test_a_body_that_only_json_ld_holds_is_read():
    body = "\\n".join(PARAGRAPHS).replace("“", "'").replace("”", "'")
    script = f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Ferry", "articleBody": "{body}"}}</script>'
    reading = read(submitted(f"<!DOCTYPE html><html><head>{script}</head><body><div id='app'></div><p>Loading</p></body></html>"))
    assert reading.text.split("\n")[1] == PARAGRAPHS[1]


@pytest.mark.parametrize(
    ("language", "paragraphs"),
    [
        ("de", ("Die Fähre lief am Samstagmorgen vor der Mole auf Grund, wie das Hafenamt mitteilte, verletzt wurde dabei niemand.",) * 2),
        ("ru", ("Паром с девяноста пассажирами на борту в субботу утром сел на мель у северного мола, сообщили в порту.",) * 2),
        ("ja", ("九十人を乗せたフェリーが土曜日の朝、北防波堤の沖で座礁したと港湾事務所が発表した。けが人はいなかったという。",) * 2),
        ("ar", ("جنحت عبارة تقل تسعين شخصا صباح السبت قبالة حاجز الأمواج الشمالي، وقالت إدارة الميناء إن أحدا لم يصب بأذى.",) * 2),
    ],
)
def test_pages_in_other_languages_are_read(language: str, paragraphs: tuple[str, ...]):
    own = [f"{p} {n}" for n, p in enumerate(paragraphs)]
    html = page("".join(f"<p>{p}</p>" for p in own), title="—").replace('lang="en"', f'lang="{language}"')
    assert lines_of(html) == own


def test_a_feeds_body_is_taken_whole_line_by_line():
    html = '<p>One <b>bold</b> word.</p>Loose<br>line<ul><li>point</li></ul><p>Via <a href="/x">Coast Wire</a></p><script>no()</script>'
    reading = read(submitted(html, title="Ferry"))
    assert reading.text == "One bold word.\nLoose\nline\npoint\nVia Coast Wire"
    assert reading.links == (Link("https://paper.example/x", "Coast Wire"),)


def test_a_text_is_taken_as_it_stands():
    given_text = "  First line,\twith  blanks.\r\n\r\nSecond – ﬁne.\n"
    reading = read(Submission(HERE, SEEN, text=given_text + "\x00", title="Ferry"))
    assert reading == Reading("Ferry", "  First line,\twith  blanks.\n\nSecond – ﬁne.\n", None)


def test_half_surrogates_which_no_store_takes_are_dropped_from_texts_and_titles():
    reading = read(submitted(text="One\ud800 two\udc00.\x00", title="Ferry\ud83d"))
    assert (reading.text, reading.title) == ("One two.", "Ferry")
    assert read(submitted("<p>One\ud800.</p>", title="Ferry\ud83d")).title == "Ferry"
    page_of = '<html><script type="application/ld+json">{"@type":"Article","headline":"F\\ud800"}</script><body><p>Text.</p></body></html>'
    assert read(submitted(page_of)).title == "F"


def test_a_page_without_a_title_has_an_empty_one():
    assert read(submitted(f"<html><body>{prose()}</body></html>")).title == ""


@pytest.mark.parametrize(
    ("submission", "reason"),
    [
        (Submission(HERE, SEEN, text=" \n\t"), "without text"),
        (Submission(HERE, SEEN), "without text"),
        (submitted(""), "without text"),
        (submitted("<html><head><title>x</title></head><body></body></html>"), "without text"),
        (submitted(f"<html><body><nav><ul>{MENU}</ul></nav><script>var a = 'text';</script></body></html>"), "without text"),
        (submitted("<p> </p><img src=x>"), "without text"),
        (submitted("%PDF-1.7\n1 0 obj"), "not HTML"),
        (submitted("\x00\x01\x02\ufffd" * 100), "not HTML"),
        (submitted("a" * (MAX_SIZE + 1)), "too large: 5,000,001 characters, at most 5,000,000 are read"),
        (Submission(HERE, SEEN, text="a" * (MAX_SIZE + 1)), "too large: 5,000,001 characters, at most 5,000,000 are read"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(submission: Submission, reason: str):
    with pytest.raises(ArticleError) as refused:
        read(submission)
    assert (refused.value.what, refused.value.reason) == (HERE, reason)


def test_ten_thousand_nested_elements_are_read():
    html = "<html><body>" + "<div>" * 10_000 + prose() + "</div>" * 10_000 + "</body></html>"
    assert PARAGRAPHS[0] in read(submitted(html)).text


def test_a_page_of_two_megabytes_is_read():
    body = "".join(f"<p>{number}. {PARAGRAPHS[number % 4]}</p>" for number in range(16_000))
    reading = read(submitted(page(body)))
    assert reading.text.count("\n") == 15_999


def test_one_element_with_fifty_thousand_attributes_does_not_hold_up():
    attributes = " ".join(f"a{number}=b" for number in range(50_000))
    assert lines_of(page(f"<div {attributes}></div>{prose()}")) == list(PARAGRAPHS)


SCRAPS = st.sampled_from(
    ["<html>", "<body>", "<p>", "</p>", "<div class=", "<table><tr><td>", "<a href='http://[", "'>", "<br>", "<!--", "]]>"]
)


@given(st.lists(SCRAPS | st.sampled_from(PARAGRAPHS) | st.text(max_size=10), max_size=20).map("".join))
@settings(max_examples=120, deadline=None)
def test_any_markup_is_read_or_refused(html: str):
    try:
        reading = read(submitted(html))
    except ArticleError:
        return
    assert reading.text.strip()
    assert all(link.url.startswith("http") for link in reading.links)


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read_as_given_or_refused(text: str):
    try:
        reading = read(Submission(HERE, SEEN, text=text))
    except ArticleError:
        assert not text.replace("\x00", "").strip()
        return
    assert reading.text == text.replace("\r\n", "\n").replace("\x00", "")


MARKUP_WITH_SCRIPTS = (
    "<div>a<script>x</script>b<script>y</script>c<p>d<style>s</style></p>e<svg><g>1</g>in</svg>f</div>",
    "<div><script></script><script></script>a<b>c</b><script></script></div>",
    "<div><svg><style></style>x</svg>y<p><script>z</script></p></div>",
    "<div>nothing of it</div>",
)


@pytest.mark.parametrize("markup", MARKUP_WITH_SCRIPTS, ids=["mixed", "rows", "nested", "none"])
def test_elements_are_dropped_as_lxml_does_it_with_the_text_behind_them_kept(markup: str):
    dead = frozenset({"script", "style", "svg"})
    ours, theirs = fragment_fromstring(markup), fragment_fromstring(markup)
    drop(ours, dead)
    for element in list(theirs.iter(*dead)):
        element.drop_tree()
    assert tostring(ours) == tostring(theirs)


def test_a_page_of_endless_text_is_taken_by_its_own_containers():
    paragraphs = [f"Paragraph {n} of the record of the harbour council says what the council said, and when." for n in range(4_000)]
    reading = read(submitted(page("".join(f"<p>{p}</p>" for p in paragraphs))))
    assert reading.text.split("\n") == paragraphs
