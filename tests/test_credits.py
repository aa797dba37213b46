"""Credits in text: every rule's own examples, the languages, the traps."""

import re
from itertools import product

import pytest

from syndtrack.models import Credit, Publisher
from syndtrack.publishers import Registry
from syndtrack.reading.credit_wording import GROUP, SLOT, pattern, plain, table
from syndtrack.reading.credits import find_credits

AGENCIES = {
    "Reuters": ["Thomson Reuters", "Рейтер", "رويترز", "路透社", "ロイター", "로이터", "רויטרס", "रॉयटर्स", "রয়টার্স", "รอยเตอร์"],
    "AP": ["Associated Press", "The Associated Press", "美联社"],
    "AFP": ["Agence France-Presse", "فرانس برس", "وكالة فرانس برس", "法新社"],
    "dpa": ["Deutsche Presse-Agentur"],
    "EFE": ["Agencia EFE"],
    "Lusa": ["Agência Lusa"],
    "AAP": [],
    "PA Media": ["PA"],
    "SPA": [],
    "ANSA": [],
    "Bloomberg": [],
    "APA": [],
    "ANP": [],
    "TT": [],
    "Ritzau": [],
    "NTB": [],
    "STT": [],
    "PAP": [],
    "ČTK": [],
    "MTI": [],
    "Agerpres": [],
    "BTA": [],
    "ТАСС": ["TASS", "TASS news agency"],
    "РИА Новости": [],
    "Укрінформ": ["Ukrinform"],
    "УНІАН": [],
    "Anadolu Ajansı": ["AA"],
    "ΑΠΕ-ΜΠΕ": [],
    "Xinhua": ["新华社"],
    "Kyodo": ["共同通信", "共同", "共同通信社"],
    "Yonhap": ["연합뉴스"],
    "Antara": [],
    "TTXVN": [],
    "PTI": ["पीटीआई"],
    "The Canadian Press": [],
}
OUTLETS = {"ZeroHedge": ["Zero Hedge", "Zerohedge"], "The Washington Post": ["Washington Post"], "Le Monde": []}
REGISTRY = Registry(
    dict(
        enumerate(
            [
                *(Publisher(name, "agency", tuple(aliases)) for name, aliases in AGENCIES.items()),
                *(
                    Publisher(name, "outlet", tuple(aliases), (f"{name.lower().replace(' ', '')}.com",))
                    for name, aliases in OUTLETS.items()
                ),
            ],
            start=1,
        )
    )
)

PROSE = [
    "The members of the town council met on Tuesday evening and agreed to have the old bridge repaired before winter comes.",
    "The work is to begin in a month and will take some ten weeks, the mayor told all those who had come to the meeting.",
    "People who live near the river had asked for the repair for a long time, and most of those present were glad of it.",
    "The price will be shared by the town and the county around it, and nobody will have to pay a new tax for the work.",
]


def around(line: str, at: str = "end") -> str:
    """The line in an article of four paragraphs."""
    place = {"top": 0, "middle": 2, "end": 4}[at]
    return "\n\n".join([*PROSE[:place], line, *PROSE[place:]])


def in_article(line: str, at: str = "end") -> list[Credit]:
    """The credits found on that line of an article."""
    text = around(line, at)
    start = text.index(line)
    return [c for c in find_credits(text, REGISTRY) if c.start is not None and start <= c.start < start + len(line)]


def told(line: str, at: str = "end") -> list[tuple[str, str | None]]:
    """Kinds and names only."""
    return [(c.kind, c.name or c.url) for c in in_article(line, at)]


def rules_of(*files: str) -> list[tuple[str, str, str]]:
    """Every example and near miss: kind, language, line."""
    return [(r.get("kind", f), r["language"], line) for f in files for r in table(f)["rule"] for line in r["examples"]]


WORDED = rules_of("republication", "hat_tip", "media", "cited")


@pytest.mark.parametrize(("kind", "language", "line"), WORDED, ids=[f"{k}-{lang}-{line[:20]}" for k, lang, line in WORDED])
def test_every_rule_finds_its_examples(kind, language, line):
    assert [c.kind for c in in_article(line)] == [kind], language


@pytest.mark.parametrize("name", ["republication", "hat_tip", "media", "cited"])
def test_no_rule_takes_its_near_misses(name):
    for rule in table(name)["rule"]:
        assert rule["reason"]
        for line in rule["near_misses"]:
            found = told(line)
            assert [f for f in found if name == "cited" or f[0] != "cited"] == [], (rule["language"], line)


@pytest.mark.parametrize("part", ["byline", "contributed"])
def test_agency_lines_are_wire_and_their_near_misses_are_not(part):
    for rule in table("wire")[part]:
        for line in rule["examples"]:
            assert "wire" in [c.kind for c in in_article(line)], line
        for line in rule["near_misses"]:
            assert "wire" not in [c.kind for c in in_article(line)], line


def spelt(wording: str) -> list[str]:
    """Some of the strings that a wording stands for: each group's first choice and its last."""
    groups = [m[1].split("|") if m[1] is not None else [*m[2].split("|"), ""] for m in GROUP.finditer(wording)]
    made = []
    for choice in product(*[{g[0], g[-1]} for g in groups[:6]], *[{g[0]} for g in groups[6:]]):
        words = iter(choice)
        made.append(re.sub(r" {2,}", " ", GROUP.sub(lambda _: next(words), wording)))  # noqa: B023 (used at once)
    return made


@pytest.mark.parametrize("name", ["republication", "hat_tip"])
def test_every_wording_matches_what_it_stands_for(name):
    for rule in table(name)["rule"]:
        for wording in [*rule.get("line", ()), *rule.get("sentence", ())]:
            assert wording.count(SLOT) == 1, wording
            assert rule["kind"] in ("republication", "hat-tip")
            for text in spelt(plain(wording)):
                assert re.fullmatch(pattern(plain(wording)), text.strip()) or re.fullmatch(pattern(plain(wording)), text), (wording, text)


SEED = """\
Crowds came to the port on Friday after the ferry line said it would stop its trips, and the mayor asked the government for help at once.

The line has lost money since the summer, two officials told AFP.

Passengers waiting at the port in 2019, via AP.

“Nobody told us anything,” said a captain, according to AFP, while another added that the ships were old and slow and hard to keep afloat.

“We will look for another operator,” a spokeswoman said to AFP.

ALSO READ  Island Schools To Close Early As Fuel Runs Out

Talks with a second company are to begin next week, and the islands' hospital has asked for a boat of its own for the time until then.

Via Zerohedge"""


def test_a_repost_tells_the_one_it_is_from_apart_from_those_it_quotes_and_shows():
    found = [(c.kind, c.name, c.text) for c in find_credits(SEED, REGISTRY)]
    assert found == [
        ("cited", "AFP", "told AFP"),
        ("media", "AP", "Passengers waiting at the port in 2019, via AP."),
        ("cited", "AFP", "according to AFP"),
        ("cited", "AFP", "said to AFP"),
        ("republication", "Zerohedge", "Via Zerohedge"),
    ]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Via ZeroHedge", "ZeroHedge"),
        ("(Via Saltmarsh Letter)", "Saltmarsh Letter"),
        ("Written by Ines Torvald via Saltmarsh Letter,", "Saltmarsh Letter"),
        ("Submitted by Ines Torvald via SaltmarshLetter.com", "SaltmarshLetter.com"),
        ("Source: The Tarnwick Evening Star", "The Tarnwick Evening Star"),
        ("Source: AFP", "AFP"),
        ("Source: https://saltmarsh.example/2020/bridge-repair.html", "https://saltmarsh.example/2020/bridge-repair.html"),
        ("This column first ran on saltmarsh.example.com.", "saltmarsh.example.com"),
        ("This essay was originally printed in the autumn 2016 issue of Saltmarsh Review.", "Saltmarsh Review"),
        ("A longer version of this interview first ran in the Saltmarsh Review, which lent us the pictures as well.", "Saltmarsh Review"),
        ("The post Bridge to be repaired appeared first on Saltmarsh Letter.", "Saltmarsh Letter"),
        ("Editor's note: The following column originally appeared in “Saltmarsh Letter,” a weekly.", "Saltmarsh Letter"),
        ("Der Beitrag Brücke wird repariert erschien zuerst auf Moorbote.", "Moorbote"),
        ("L’article Le pont sera réparé est apparu en premier sur Écho des Dunes.", "Écho des Dunes"),
        ("Fuente: «La voz del puerto»", "La voz del puerto"),
        ("Источник: Портовая правда", "Портовая правда"),
        ("Kaynak: Liman Gazetesi", "Liman Gazetesi"),
        ("（来源：港口日报）", "港口日报"),
        ("출처 : 항구일보", "항구일보"),
        ("المصدر: صحيفة الميناء", "صحيفة الميناء"),
    ],
)
def test_a_republication_credit_names_the_publisher_and_nothing_else(line, name):
    assert told(line) == [("republication", name)]


@pytest.mark.parametrize(
    ("line", "spans"),
    [
        ("Sources: AP, Reuters", [("AP", "Sources: AP"), ("Reuters", "Reuters")]),
        (
            "Sources: Osprey Bulletin, The Quillstone Monitor",
            [("Osprey Bulletin", "Sources: Osprey Bulletin"), (None, "Quillstone Monitor")],
        ),
        ("Source: Osprey Bulletin and Lantern Sentinel.", [("Osprey Bulletin", None), ("Lantern Sentinel", "Lantern Sentinel.")]),
        ("Quellen: Reuters, Moorbote Online und dpa", [("Reuters", "Quellen: Reuters"), ("Moorbote Online", None), ("dpa", "dpa")]),
        ("Source: Trout and Salmon Weekly", [("Trout and Salmon Weekly", "Source: Trout and Salmon Weekly")]),
    ],
)
def test_a_label_with_several_publishers_gives_a_credit_for_each(line, spans):
    found = in_article(line)
    assert [c.kind for c in found] == ["republication"] * len(spans)
    for credit, (name, text) in zip(found, spans, strict=True):
        assert name is None or credit.name == name
        assert text is None or credit.text.removeprefix("The ") == text


NO_MEDIA = [
    "The family left for Canada, via Frankfurt.",
    "We spoke to him from Kyiv, via Zoom.",
    "Goods came to the port by sea, via Suez.",
    "The minister denied it in a statement, via Reuters.",
    "In 2019 the crew sailed for Chile, via Panama.",
    "“Nobody asked us in 2018,” a pilot, via AP.",
]
NO_WIRE = [
    "Copyright law changed in 2020, the Associated Press reported.",
    "In 2020 a copyright dispute between AP and Google ended in court.",
    "All rights reserved: what AP means for Germany",
    "Lawyers told Reuters that two universities contributed to this report on child labour.",
    "He joined the news agency Associated Press (AP).",
    "She had worked for years at the Bulgarian news agency (BTA).",
    "Devan Morley (AAP) - the party's founder - said the vote was rigged.",
    "Rehan Calloway (PTI) - the bridge was his idea.",
    "ROME (Lega) - the party said no.",
    "BERLIN (SPD) — Die Partei lehnt das ab.",
    "MILAN (Inter) - the club has sold its best player.",
    "Agence France-Presse (AFP) — the Paris-based agency — said it would hire.",
]
NO_REPUBLICATION = [
    "Via Roma",
    "Via Veneto",
    "Source: Deloitte",
    "Fonte: Elaborazione propria",
    "Source: Own work",
    "出典：厚生労働省",
    "来源：国家统计局",
    "Kilde: Statistisk sentralbyrå",
    "Adapted from Shakespeare",
    "From: John Miller",
    "Reposted from Facebook",
]
NO_CITATION = [
    "The vote will be won, PTI said.",
    "Two candidates left, AAP said on Monday.",
    "A driver told TT in the garage.",
    "The trainer told PA staff to wait.",
    "According to SPA rules, dogs must be led.",
]


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        *(("media", line) for line in NO_MEDIA),
        *(("wire", line) for line in NO_WIRE),
        *(("republication", line) for line in NO_REPUBLICATION),
        *(("cited", line) for line in NO_CITATION),
    ],
)
def test_prose_and_labels_that_only_resemble_a_credit_give_none_of_that_kind(kind, line):
    assert [f for at in ("top", "middle", "end") for f in told(line, at) if f[0] == kind] == []


@pytest.mark.parametrize(
    ("line", "kind", "name"),
    [
        ("Boats near the lock gates in 2017, via AP.", "media", "AP"),
        ("Il battello in secca, ottobre 2017, via AP.", "media", "AP"),
        ("The harbour of Port Said in 2017, via AP.", "media", "AP"),
        ("Via The Lantern Letters", "republication", "The Lantern Letters"),
        ("Source: Lantern Letters", "republication", "Lantern Letters"),
        ("New Delhi (PTI) - The bridge will be repaired.", "wire", "PTI"),
        ("BERLIN (Spree News Agency) — The bridge will be repaired.", "wire", "Spree News Agency"),
        ("The price is too high, the news agency AAP said.", "cited", "AAP"),
        ("Slussen öppnas i mars, säger hon till TT.", "cited", "TT"),
        ("© 2017 AFP. Reproduction needs a licence.", "wire", "AFP"),
        ("All rights reserved. © Reuters 2017", "wire", "Reuters"),
        ("Reuters writers in Paris also contributed to this report.", "wire", "Reuters"),
    ],
)
def test_what_resembles_them_and_is_a_credit_still_counts(line, kind, name):
    assert (kind, name) in told(line, "top" if kind == "wire" and " (" in line else "end")


def test_a_label_with_name_and_address_gives_both():
    (credit,) = in_article("Source: Saltmarsh Letter (https://saltmarsh.example/bridge)")
    assert (credit.kind, credit.name, credit.url) == ("republication", "Saltmarsh Letter", "https://saltmarsh.example/bridge")


@pytest.mark.parametrize(
    "line",
    [
        "Source: a postal survey of 400 anglers",
        "Source: Ministry of Health",
        "Source: authors' calculations",
        "Via the crowd that never sleeps:",
        "Via email",
        "First published on Tue 8 Mar 2016",
        "This article was written by Ines Torvald.",
        "Via Skype",
        "Originally published November 9, 2017, 8 a.m.",
        "Originally published in German.",
        "Originally published in Paris in 1901.",
        "This story was originally published in May 2018 but has been updated.",
        "From the Editor",
        "Sources close to the mayor said the bridge will open.",
        "Her letters first appeared in a magazine after the war.",
        "The parcel went via London.",
        "Thanks to the mayor for coming.",
        "المصدر: وكالات",
        "Quelle: Statistisches Bundesamt",
        "When the fever first appeared in Tarnwick, nobody knew its name.",
        "He was reached via the Saltmarsh Mail, where he works.",
    ],
)
def test_what_only_looks_like_a_credit_is_none(line):
    assert [f for at in ("top", "middle", "end") for f in told(line, at) if f[0] != "cited"] == []


def test_a_chart_s_source_in_the_middle_of_an_article_is_no_source_of_the_text():
    assert told("Source: Saltmarsh Analytics", "middle") == []
    assert told("Source: Saltmarsh Analytics", "end") == [("republication", "Saltmarsh Analytics")]


@pytest.mark.parametrize(
    ("line", "span", "name"),
    [
        ("WASHINGTON (AP) — The bridge will be repaired.", "WASHINGTON (AP) — ", "AP"),
        ("PARIS, March 3 (AFP) - The bridge will be repaired.", "PARIS, March 3 (AFP) - ", "AFP"),
        ("BERLIN (dpa/AFP) – Die Brücke wird repariert.", "BERLIN (dpa/AFP) – ", "dpa"),
        ("München (dpa/lby) - Die Brücke wird repariert.", "München (dpa/lby) - ", "dpa"),
        ("(ANSA) - ROMA, 3 MAR - Il ponte sarà riparato.", "(ANSA) - ", "ANSA"),
        ("Madrid, 3 mar (EFE).- El puente será reparado.", "Madrid, 3 mar (EFE).- ", "EFE"),
        ("LONDON/Reuters - The bridge will be repaired.", "LONDON/Reuters - ", "Reuters"),
        ("(Reuters) - The bridge will be repaired.", "(Reuters) - ", "Reuters"),
        ("New Delhi, Mar 3 (PTI) The bridge will be repaired.", "New Delhi, Mar 3 (PTI) ", "PTI"),
        ("Share this: LONDON (Reuters) - The bridge will be repaired.", "LONDON (Reuters) - ", "Reuters"),
        ("МОСКВА, 3 марта. /ТАСС/. Мост отремонтируют.", "МОСКВА, 3 марта. /ТАСС/. ", "ТАСС"),
        ("МОСКВА, 3 мар — РИА Новости. Мост отремонтируют.", "МОСКВА, 3 мар — РИА Новости. ", "РИА Новости"),
        ("新华社北京3月3日电 市议会同意修桥。", "新华社北京3月3日电 ", "新华社"),
        ("(서울=연합뉴스) 시의회는 다리를 고치기로 했다.", "(서울=연합뉴스)", "연합뉴스"),
        ("القاهرة (رويترز) - سيتم إصلاح الجسر.", "القاهرة (رويترز) - ", "رويترز"),
        (
            "TARNWICK (Saltmarsh News Service) — The bridge will be repaired.",
            "TARNWICK (Saltmarsh News Service) — ",
            "Saltmarsh News Service",
        ),
    ],
)
def test_a_dateline_runs_from_its_place_through_its_dash(line, span, name):
    (credit,) = in_article(line, "top")
    assert (credit.kind, credit.text.strip(), credit.name) == ("wire", span.strip(), name)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("By Ines Torvald, Associated Press", "Associated Press"),
        ("By INES TORVALD | Reuters", "Reuters"),
        ("By The Associated Press", "The Associated Press"),
        ("Ines Torvald for Agence France-Presse", "Agence France-Presse"),
        ("Ines Torvald avec AFP", "AFP"),
        ("Von Ines Torvald, dpa", "dpa"),
        ("(dpa)", "dpa"),
        ("/ritzau/", "ritzau"),
        ("Copyright © 2017, The Associated Press", "The Associated Press"),
        ("© AFP 2018", "AFP"),
        ("ANSA, riproduzione riservata 2018", "ANSA"),
        ("The Associated Press contributed to this report.", "The Associated Press"),
        ("With files from The Canadian Press", "The Canadian Press"),
        ("Com informações da Lusa", "Lusa"),
        ("The bridge reopens on Friday. (AFP)", "AFP"),
    ],
)
def test_agencies_are_named_in_bylines_copyright_and_closing_lines(line, name):
    assert told(line) == [("wire", name)]


@pytest.mark.parametrize(
    "line", ["With agencies", "By Ines Torvald, shipping correspondent", "Copyright © 2017, Saltmarsh Mail", "A (B) - C"]
)
def test_lines_that_name_no_agency_are_no_wire_credit(line):
    assert [f for f in told(line, "top") if f[0] == "wire"] == []


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("(Ines Torvald for AFP/Getty Images)", "AFP"),
        ("Picture: Ines Torvald/Reuters", "Reuters"),
        ("Ines Torvald/AP Photo", "AP"),
        ("Image via Shutterstock", None),
        ("Ice on the bridge. REUTERS/Ines Torvald/File Photo", "REUTERS"),
        ("Le pont en hiver. © Ines Torvald, AFP", "AFP"),
        ("The bridge in winter, via Saltmarsh Mail.", "Saltmarsh Mail"),
        ("(Ines Torvald/Saltmarsh Mail via AP)", "AP"),
        ("Source: Supplied", None),
        ("（写真：AFP）", "AFP"),
        ("新华社记者 王明 摄", "新华社"),
    ],
)
def test_a_picture_s_credit_is_the_whole_caption_and_no_source_of_the_text(line, name):
    (credit,) = in_article(line, "middle")
    assert (credit.kind, credit.text, credit.name) == ("media", line, name)


def test_each_quoted_report_counts_once_and_ends_with_the_name_or_the_verb():
    line = "The plan was first reported by Reuters, and the mayor confirmed it in an interview with dpa; AFP reported the price."
    assert [(c.kind, c.text) for c in in_article(line)] == [
        ("cited", "first reported by Reuters"),
        ("cited", "in an interview with dpa"),
        ("cited", "AFP reported"),
    ]


def test_an_agency_s_name_alone_is_no_citation():
    assert in_article("The office of Reuters in Tarnwick, a tall house near the bridge, has been sold to the county for a low price.") == []


def test_names_of_publishers_with_one_alias_are_still_seen():
    twice = Registry({1: Publisher("Saltmarsh News", "agency", ("HN",)), 2: Publisher("Hill News", "agency", ("HN",))})
    assert [(c.kind, c.name) for c in find_credits("The bridge is safe, two officials told HN.", twice)] == [("cited", "HN")]
