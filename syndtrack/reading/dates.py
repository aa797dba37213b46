"""Dates as feeds and pages write them, turned into aware times in UTC.

Tried in order: ISO 8601 and RFC 3339, RFC 822 and 2822, Unix seconds and milliseconds, then what people write (dateutil), with month
names of a dozen languages. A time without a zone is taken as UTC. What stays unclear is None rather than guessed: day and month that
could be exchanged ("03/04/2020"), a date without year, month or day, years before 1970 or after 2100. The first of January 1970 stays
as claimed, although it mostly stands for "no date": it is for whoever weighs claims to find it absurd.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from dateutil import parser as dateutil_parser

# Longer texts are prose with a date in it; real ones ("Wednesday, September 30, 2020 at 10:05:00 PM Eastern Daylight Time") stay under 70.
LONGEST_DATE = 100
FIRST_YEAR, LAST_YEAR = 1970, 2100

# Month names cut to their distinct beginnings, without accents and in lower case, by number; English ones are what all others become.
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = (
    "jan gen ene ian янв січ oca stycz tammi ιαν",
    "feb fev fevr fév feb фев лют sub lut luty helmi φεβ",
    "mar mrt mars marz maart março мар бер mart marzec maalis μαρ",
    "apr avr abr апр квіт nis kwie huhti απρ",
    "may mai mag maj mei mayo maio май мая трав maj touko μαι",
    "jun jui juin giu июн черв haz czerw kesa ιουν",
    "jul juil lug июл лип tem lipiec lipca hein ιουλ",
    "aug aou aout ago aoû авг серп agu sier elo αυγ",
    "sep set sept сен вер eyl wrze syys σεπ",
    "oct okt ott out окт жовт eki pazd loka οκτ",
    "nov нов лист kas listopadu marras νοε",
    "dec dez dic déc дек груд ara grud joulu δεκ",
)
# November in Polish, October in Croatian, and written alike; "listopadu", which is Czech, is not.
_LISTOPAD = re.compile(r"(?<![^\W_])listopada?(?![^\W_])", re.I)
# What decides is spelling: Croatian has a point after the number of a day, Polish must not have one.
_POLISH_DAY = re.compile(r"(?<!\d)(\d{1,2}) (?=listopada(?![^\W_]))", re.I)
_CROATIAN_DAY = re.compile(r"(?<!\d)(\d{1,2})\. ?listopada(?=[ ,]+\d{4}\.)", re.I)
# Hours east of UTC. "ET" and its like stand for winter time. Left out: IST, which is Indian, Irish and Israeli time.
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "bst": 1, "west": 1, "cet": 1, "mez": 1, "cest": 2, "mesz": 2, "eet": 2, "sast": 2,
    "eest": 3, "msk": 3, "sgt": 8, "hkt": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
    "et": -5, "est": -5, "edt": -4, "ct": -6, "cst": -6, "cdt": -5, "mt": -7, "mst": -7, "mdt": -6, "pt": -8, "pst": -8, "pdt": -7,
    "brt": -3, "art": -3,
}  # fmt: skip
_KEPT_WORDS = frozenset({"am", "pm", "t"})
_WORDS = re.compile(r"[^\W\d_]+")
_EAST_ASIAN = str.maketrans(
    {"年": "-", "月": "-", "日": " ", "년": "-", "월": "-", "일": " ", "時": ":", "时": ":", "시": ":", "分": " ", "분": " "}
)
_SIGNED_ZONE = re.compile(r"(?:GMT|UTC)\s?(?=[+-]\d)", re.I)
_ZONE_HOURS = re.compile(r"([+-])(\d{1,2})$")
_COMMENT = re.compile(r"\([^()]{0,40}\)\s*$")
_LEAP_SECOND = re.compile(r"(?<=:\d\d):60(?!\d)")
_HALF_DAY = re.compile(r"(?<![^\W_])([ap])\.\s?m\.?(?![^\W_])", re.I)
_NO_YEAR = re.compile(r"(?:^|[^\W\d]\s)00\d\d(?=[-\s]|$)")  # year 1 is how some systems write "none"; RFC 2822 readers make it 2001
_YEAR_FIRST = re.compile(r"\s*\d{4}")


def parse_date(text: str | None) -> datetime | None:
    """The time that a text states, aware and in UTC; None where it states none that can be relied on. Raises nothing."""
    if not text or len(text) > LONGEST_DATE:
        return None
    cleaned = _LEAP_SECOND.sub(":59", _COMMENT.sub("", " ".join(text.split())))
    if _NO_YEAR.search(cleaned):
        return None
    for attempt in (_iso, _mail, _unix, _written):
        try:
            found = attempt(cleaned)
            if found is not None:
                return _in_utc(found)
        except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
            continue  # not in this form; dateutil raises all of these on odd input
    return None


def _in_utc(when: datetime) -> datetime | None:
    """Whole seconds: fractions are noise in a claim, and not every reader keeps them."""
    aware = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return aware.replace(microsecond=0) if FIRST_YEAR <= aware.year <= LAST_YEAR else None


def _iso(text: str) -> datetime | None:
    if text.isdecimal() and len(text) in (8, 14):
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}" if len(text) > 8 else text)
    return datetime.fromisoformat(text) if text[:1].isdigit() and len(text) >= 8 else None


def _mail(text: str) -> datetime | None:
    """RFC 822, with the zone as a number: the standard library takes abbreviations it does not know for UTC."""
    has_half_days = _HALF_DAY.search(text) or re.search(r"\d\s?[ap]m\b", text, re.I)  # these it would silently drop
    return None if has_half_days or ":" not in text else parsedate_to_datetime(_numbered_zone(text))


def _unix(text: str) -> datetime | None:
    if not (text.isascii() and text.isdecimal()) or len(text) not in (10, 13) or text.startswith("20"):
        return None  # ten digits from 20… are an hour written without separators; Unix time gets there in 2033
    return datetime.fromtimestamp(int(text[:10]), UTC)


def _written(text: str) -> datetime | None:
    """What people write. It must hold year, month and day: parsed twice with different defaults and orders, all must agree."""
    plain = _numbered_zone(_english(_HALF_DAY.sub(r"\1m", text.translate(_EAST_ASIAN))))
    found = {
        dateutil_parser.parse(plain, default=default, dayfirst=dayfirst, tzinfos=_stated_offset)
        for default in (datetime(1972, 1, 1), datetime(1976, 2, 2))
        for dayfirst in ((False,) if _YEAR_FIRST.match(plain) else (True, False))
    }
    return next(iter(found)) if len(found) == 1 else None


def _stated_offset(_name: str | None, seconds: int | None) -> timezone:
    return timezone(timedelta(seconds=seconds or 0))


def _numbered_zone(text: str) -> str:
    """The text with a zone's abbreviation at its end as a number, "GMT+2" as "+0200"."""
    text = _SIGNED_ZONE.sub("", text)
    if len(text) > 10 and (hours := _ZONE_HOURS.search(text)) and ":" in text:
        return f"{text[: hours.start()].rstrip()} {hours[1]}{int(hours[2]):02d}00"
    head, _, last = text.rpartition(" ")
    offset = _ZONES.get(last.casefold())
    return text if offset is None or not head else f"{head} {'-' if offset < 0 else '+'}{abs(offset):02d}00"


def _english(text: str) -> str:
    """The text with month names in English and without other words ("Dienstag, 3. März 2020, 14 Uhr").

    Raises ValueError for the name of a month that is another one elsewhere.
    """
    text = _CROATIAN_DAY.sub(r"\1 oct", text)
    text = re.sub(r"(?<= )listopada", "nov", text, flags=re.I) if _POLISH_DAY.search(text) else text
    if _LISTOPAD.search(text):
        raise ValueError(text)
    months = [m for m in _WORDS.finditer(text) if _month(m[0])]
    # "mar. 3 mars 2020": a Tuesday, then a month
    weekday = months[0].start() if len(months) > 1 else -1

    def word(match: re.Match[str]) -> str:
        folded = match[0].casefold()
        number = None if match.start() == weekday else _month(match[0])
        if number:
            return _ENGLISH[number - 1]
        return match[0] if folded in _KEPT_WORDS or folded in _ZONES else " "

    return " ".join(re.sub(r"(?<=\d)\.(?=\s)|,", " ", _WORDS.sub(word, text)).split())


def _month(word: str) -> int | None:
    """The month whose name a word begins with; of several, the one whose beginning is longest: "marraskuuta" is not March."""
    folded = _folded(word)
    lengths = range(min(len(folded), _LONGEST_BEGINNING), 2, -1)
    return next((number for length in lengths if (number := _BEGINNINGS.get(folded[:length]))), None)


def _folded(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))


_BEGINNINGS = {_folded(name): number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_LONGEST_BEGINNING = max(map(len, _BEGINNINGS))
