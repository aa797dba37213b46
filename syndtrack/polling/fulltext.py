"""Whether an entry carries the article's whole text, so that its page need not be fetched. Pure."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

MIN_WORDS = 120
# Where the feed gives one body only, nothing tells a long summary from a text: more is asked for.
MIN_WORDS_ALONE = 200
LONGER_THAN_SUMMARY = 1.3
LONG_SUMMARY = 80
MAX_LOOKED_AT = 200_000
END = 300

_INLINE_TAG = re.compile(r"</?(?:a|abbr|b|cite|em|font|i|mark|small|span|strong|sub|sup|u)(?:\s[^<>]{0,4000})?>", re.IGNORECASE)
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]{0,4000}>")
# Scripts without blanks between words (Thai, Lao, Burmese, Khmer, kana, Han): two letters count as a word.
_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
# What WordPress and others add below an entry, whole or not.
_FEED_FOOTER = re.compile(r"(?:The post [^\n]{1,400}? (?:first )?appeared (?:first )?on [^\n]{1,200}|Comments?|Share this:?)\s*$")


@dataclass(frozen=True, slots=True)
class MoreRule:
    """A wording at the end of a text that says there is more of it elsewhere: `example` must match, `near_miss` must not."""

    language: str
    pattern: str
    example: str
    near_miss: str
    reason: str


_CUT = "the feed's software cuts here"
_LINK = "the link to the whole text"
MORE_RULES = (
    MoreRule("any", r"(?:…|\.\.\.|&hellip;)\W{0,6}$", "The minister said on Tues…", "The minister said on Tuesday.", _CUT),
    MoreRule("any", r"\[(?:…|\.{3}|\+\d{1,6} chars)\]$", "The minister said […]", "The minister said [on Tuesday]", _CUT),
    MoreRule(
        "en",
        r"(?:(?:click here to )?read (?:the )?(?:more|full|rest|whole)|continue reading|keep reading|full story|(?:view|see|learn) more)"
        r"(?: (?:story|article|here|at|on|of|»|→|>)[^.\n]{0,80})?\W{0,6}$",
        "Talks go on. Read more",
        "He wanted to read more.",
        _LINK,
    ),
    MoreRule(
        "de",
        r"(?:weiterlesen|mehr lesen|lesen sie (?:hier )?(?:weiter|mehr)|zum (?:ganzen )?artikel)\W{0,6}$",
        "Das Treffen dauert an. Weiterlesen",
        "Man muss den Text weiterlesen, sagte er",
        _LINK,
    ),
    MoreRule(
        "fr",
        r"(?:lire (?:la suite|plus|l[’']article(?: complet)?)|en savoir plus)\W{0,6}$",
        "Un accord est proche. Lire la suite",
        "Il faut lire la suite du rapport",
        _LINK,
    ),
    MoreRule(
        "es",
        r"(?:(?:leer|ver) (?:más|mas|nota completa)|(?:seguir|sigue|continuar|continúa) leyendo)\W{0,6}$",
        "El acuerdo está cerca. Leer más",
        "Hay que leer más libros",
        _LINK,
    ),
    MoreRule(
        "pt",
        r"(?:(?:leia|ler|ver|saiba) mais|continu(?:e|ar) (?:lendo|a ler)|leia a matéria completa)\W{0,6}$",
        "O acordo está perto. Leia mais",
        "É preciso que ele leia mais livros",
        _LINK,
    ),
    MoreRule(
        "it",
        r"(?:leggi (?:tutto|di più|l[’']articolo)|continua (?:a leggere|la lettura))\W{0,6}$",
        "L'accordo è vicino. Leggi tutto",
        "Ha detto: leggi tutto il libro",
        _LINK,
    ),
    MoreRule(
        "nl", r"(?:lees (?:meer|verder)|verder lezen)\W{0,6}$", "Het overleg duurt voort. Lees verder", "Hij zei: lees meer boeken", _LINK
    ),
    MoreRule(
        "sv, no, da",
        r"(?:läs mer|les mer|læs mere|läs hela artikeln)\W{0,6}$",
        "Mötet fortsätter. Läs mer",
        "Hon vill läs mera böcker",
        _LINK,
    ),
    MoreRule("fi", r"(?:lue (?:lisää|koko juttu))\W{0,6}$", "Neuvottelut jatkuvat. Lue lisää", "Hän sanoi: lue lisää kirjoja", _LINK),
    MoreRule("pl", r"(?:czytaj (?:dalej|więcej|całość)|więcej)\W{0,6}$", "Rozmowy trwają. Czytaj dalej", "Chce więcej czasu", _LINK),
    MoreRule(
        "cs, sk",
        r"(?:číst (?:dále?|více)|čítať ďalej|pokračovat ve čtení)\W{0,6}$",
        "Jednání trvá. Číst dále",
        "Chce číst dále knihy",
        _LINK,
    ),
    MoreRule(
        "ro",
        r"(?:cite[sș]te (?:mai mult|mai departe|continuarea)|vezi mai mult)\W{0,6}$",
        "Discuțiile continuă. Citește mai mult",
        "El citește mai multe cărți",
        _LINK,
    ),
    MoreRule("hu", r"(?:tovább|olvass(?:on)? tovább|bővebben)\W{0,6}$", "A tárgyalás folytatódik. Tovább", "Tovább tart a vita", _LINK),
    MoreRule(
        "tr",
        r"(?:devamını (?:oku|okuyun)|devamı(?: için)?|haberin devamı)\W{0,6}$",
        "Görüşmeler sürüyor. Devamını oku",
        "Kitabın devamını okudu",
        _LINK,
    ),
    MoreRule(
        "el",
        r"(?:διαβάστε (?:περισσότερα|τη συνέχεια)|περισσότερα)\W{0,6}$",
        "Οι συνομιλίες συνεχίζονται. Διαβάστε περισσότερα",
        "Θέλει περισσότερα χρήματα",
        _LINK,
    ),
    MoreRule(
        "ru, uk",
        r"(?:читать (?:далее|полностью|дальше|ещё)|подробнее|читати далі|детальніше)\W{0,6}$",
        "Переговоры идут. Читать далее",
        "Он хотел читать далее книгу",
        _LINK,
    ),
    MoreRule(
        "zh",
        r"(?:阅读(?:更多|全文|原文)|閱讀(?:更多|全文)|查看(?:更多|全文)|繼續閱讀|继续阅读|更多)[\s>»）)]{0,4}$",
        "会谈仍在继续。阅读全文",
        "会谈仍在继续，需要更多时间。",
        _LINK,
    ),
    MoreRule(
        "ja",
        r"(?:続きを読む|もっと(?:見る|読む)|記事全文(?:を読む)?|全文を読む)[\s>»）)]{0,4}$",
        "協議は続いている。続きを読む",
        "協議は続いている。",
        _LINK,
    ),
    MoreRule(
        "ko", r"(?:더\s?보기|전체\s?기사\s?보기|자세히\s?보기)[\s>»)]{0,4}$", "회담은 계속되고 있다. 더보기", "회담은 계속되고 있다.", _LINK
    ),
    MoreRule(
        "ar, fa",
        r"(?:اقرأ المزيد|للمزيد|المزيد|ادامه مطلب|بیشتر بخوانید)\W{0,6}$",
        "المحادثات مستمرة. اقرأ المزيد",
        "يريد المزيد من الوقت",
        _LINK,
    ),
    MoreRule(
        "id, ms",
        r"(?:baca (?:selengkapnya|juga selengkapnya|lagi)|selengkapnya)\W{0,6}$",
        "Perundingan berlanjut. Baca selengkapnya",
        "Dia ingin baca buku",
        _LINK,
    ),
    MoreRule("hi", r"(?:और पढ़ें|पूरा पढ़ें|आगे पढ़ें)\s{0,4}$", "बातचीत जारी है। और पढ़ें", "बातचीत जारी है।", _LINK),
    MoreRule("vi", r"(?:xem thêm|đọc tiếp)\W{0,6}$", "Đàm phán tiếp tục. Xem thêm", "Ông muốn xem thêm phim", _LINK),
)
# After a sentence or at the start of a line: the same words may end a sentence of the text.
MORE = tuple(
    (
        rule,
        re.compile(
            rule.pattern if rule.reason == _CUT else rf"(?:^|[.!?…。।»\"”)\]:\n])\s{{0,9}}[\[(<»→>]{{0,3}}\s?{rule.pattern}",
            re.IGNORECASE,
        ),
    )
    for rule in MORE_RULES
)


def carries_full_text(content: str | None, summary: str | None) -> bool:
    """Whether `content` (HTML or text; where there is none, `summary`) is the article's whole text.

    It is when it is long enough, clearly longer than a summary beside it, and does not end in a sign that there is more.
    """
    body = plain(content) or plain(summary)
    beside = plain(summary) if plain(content) else ""
    count = words(body)
    if says_there_is_more(body):
        return False
    if not beside or beside == body:
        return count >= MIN_WORDS_ALONE
    return count >= MIN_WORDS and count >= LONGER_THAN_SUMMARY * words(beside)


def is_long_summary(summary: str | None) -> bool:
    """Whether a summary says enough to stand for a page that cannot be had."""
    return words(plain(summary)) >= LONG_SUMMARY


def says_there_is_more(text: str) -> bool:
    """Whether a text (without tags) ends in a mark of omission or a "read more" in one of many languages."""
    end = _FEED_FOOTER.sub("", text.rstrip()[-2 * END :]).rstrip()[-END:]
    return any(pattern.search(end) is not None for _, pattern in MORE)


def plain(body: str | None) -> str:
    """HTML or text without its tags, a line break where one that parts text stood; good for counting, not for reading."""
    return html.unescape(_TAG.sub("\n", _INLINE_TAG.sub("", (body or "")[:MAX_LOOKED_AT]))).strip()


def words(text: str) -> int:
    """Words of a text; letters of scripts without blanks count half a word each."""
    return len(_DENSE.sub(" ", text).split()) + len(_DENSE.findall(text)) // 2
