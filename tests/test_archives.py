"""Archives of articles: what is taken in, and what is refused by file and line while the rest goes on."""

import gzip
import io
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from syndtrack.archives import MAX_LINE, MAX_PAGE, is_archive, read_archive, read_single
from syndtrack.errors import UsageError
from syndtrack.models import Refusal, Submission

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
GOOD = {"url": "https://a.example/1", "text": "The ferry is late."}


def taken_in(path: Path | str) -> list[Submission | Refusal]:
    return list(read_archive(str(path), NOW))


def reasons(path: Path | str) -> dict[str, str]:
    """What was refused, by the place in the file, and why."""
    return {r.what.rpartition("/")[2]: r.reason for r in taken_in(path) if isinstance(r, Refusal)}


def urls(path: Path | str) -> list[str]:
    return [r.url for r in taken_in(path) if isinstance(r, Submission)]


@pytest.fixture
def lines(tmp_path: Path):
    """Writes an archive of lines; records are written as JSON, bytes as they are."""

    def write(*each: bytes | dict[str, object], name: str = "a.jsonl") -> Path:
        encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in each]
        (tmp_path / name).write_bytes(b"\n".join(encoded))
        return tmp_path / name

    return write


# -- JSON Lines


def test_a_full_record_becomes_a_submission(lines):
    record = GOOD | {
        "title": "Ferry late",
        "publisher": "The Pilot",
        "published": "2026-03-31T10:00:00+02:00",
        "first_seen": "2026-03-31T09:00:00Z",
    }
    assert taken_in(lines(record)) == [
        Submission(
            url="https://a.example/1", text="The ferry is late.", title="Ferry late", publisher="The Pilot",
            published=datetime(2026, 3, 31, 8, tzinfo=UTC), first_seen=datetime(2026, 3, 31, 9, tzinfo=UTC),
        )
    ]  # fmt: skip


def test_what_states_no_first_seen_was_seen_now(lines):
    assert taken_in(lines(GOOD)) == [Submission(url="https://a.example/1", text="The ferry is late.", first_seen=NOW)]


def test_text_goes_before_html_and_html_alone_is_kept(lines):
    both, page = taken_in(lines(GOOD | {"html": "<p>x"}, {"url": "https://a.example/2", "html": "<p>y"}))
    assert (both.text, both.html) == ("The ferry is late.", None)
    assert (page.text, page.html) == (None, "<p>y")


def test_blank_lines_and_byte_order_marks_are_passed_over(lines):
    assert len(urls(lines(b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), b"", b"  \r", GOOD))) == 2


def test_fields_nobody_knows_and_empty_fields_are_no_matter(lines):
    (article,) = taken_in(lines(GOOD | {"author": ["x"], "title": None, "publisher": "", "published": None, "html": None}))
    assert (article.title, article.publisher, article.published) == (None, None, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{no json", "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'"text"', "a JSON object was expected, this is a string"),
        (b"[1, 2]", "a JSON object was expected, this is an array"),
        (b"NaN", "a JSON object was expected, this is a number"),
        (b'{"url": "https://a.example/\xff", "text": "t"}', "not UTF-8"),
        ({"text": "t"}, "no url"),
        ({"url": "  ", "text": "t"}, "no url"),
        ({"url": None, "text": "t"}, "no url"),
        ({"url": "ftp://a.example/1", "text": "t"}, "not an http or https address"),
        ({"url": "/1", "text": "t"}, "not an http or https address"),
        ({"url": "https://a.example/1"}, "neither text nor html"),
        (GOOD | {"url": 7}, "field 'url' is a number, a string was expected"),
        (GOOD | {"text": ["a", "b"]}, "field 'text' is an array"),
        (GOOD | {"title": {"en": "x"}}, "field 'title' is an object"),
        (GOOD | {"published": 1_700_000_000}, "field 'published' is a number"),
        (GOOD | {"first_seen": "yesterday"}, "first_seen 'yesterday' is no time"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_line_that_cannot_be_used_is_named_with_its_reason_and_the_rest_goes_on(lines, line, reason):
    path = lines(GOOD, line, GOOD)
    assert len(urls(path)) == 2
    ((where, said),) = reasons(path).items()
    assert where == "a.jsonl:2"
    assert reason in said
    assert "\n" not in said


def test_half_of_an_emoji_is_replaced_for_nothing_could_store_it(lines):
    (article,) = taken_in(lines(b'{"url": "https://a.example/1", "text": "cut \\ud83d", "title": "\\ud83d\\ude00 whole"}'))
    assert article.text == "cut \ufffd"
    assert article.title == "😀 whole"


def test_a_line_that_is_too_long_is_refused_and_the_next_one_is_read(lines):
    path = lines(GOOD, b"x" * (2 * MAX_LINE + 5), GOOD)
    assert urls(path) == ["https://a.example/1"] * 2
    assert reasons(path) == {"a.jsonl:2": "longer than 20 MB"}


def test_an_empty_file_holds_nothing(lines):
    assert taken_in(lines()) == []
    assert taken_in(lines(name="a.jsonl.gz")) == []


@pytest.mark.parametrize("name", ["a.jsonl", "A.JSONL", "a.ndjson", "a.json"])
def test_names_of_json_lines(lines, name):
    assert len(urls(lines(GOOD, name=name))) == 1


# -- gzip


def test_gzipped_lines_are_read_in_several_members_too(tmp_path: Path):
    member = gzip.compress(json.dumps(GOOD).encode() + b"\n")
    (tmp_path / "a.jsonl.gz").write_bytes(member + member)
    assert len(urls(tmp_path / "a.jsonl.gz")) == 2


def packed(number: int) -> bytes:
    """Lines that do not compress away."""
    text = "".join(chr(97 + (n * n * 31 + n // 7) % 26) for n in range(300))
    return gzip.compress(
        b"".join(json.dumps({"url": f"https://a.example/{n}", "text": text[n % 90 :] + str(n)}).encode() + b"\n" for n in range(number))
    )


def damaged(kind: str) -> bytes:
    body = packed(2_000)
    middle = len(body) // 2
    return {
        "cut": body[:middle],
        "overwritten": body[:middle] + bytes(40) + body[middle + 40 :],
        "followed by something else": body + b"something else",
        "no gzip at all": b"something else",
    }[kind]


@pytest.mark.parametrize("kind", ["cut", "overwritten", "followed by something else", "no gzip at all"])
def test_of_a_damaged_gzip_file_the_sound_part_is_taken_in_and_the_damage_is_named(tmp_path: Path, kind):
    (tmp_path / "a.jsonl.gz").write_bytes(damaged(kind))
    sound, refused = urls(tmp_path / "a.jsonl.gz"), reasons(tmp_path / "a.jsonl.gz")
    assert [reason for reason in refused.values() if "damaged from here on" in reason] == list(refused.values())[-1:]
    assert sound[:50] == ([f"https://a.example/{n}" for n in range(50)] if kind != "no gzip at all" else [])


def test_damage_within_a_line_that_is_too_long_is_named_too(tmp_path: Path):
    body = gzip.compress(bytes(2 * MAX_LINE), compresslevel=1)
    (tmp_path / "a.jsonl.gz").write_bytes(body[:-200])
    assert "damaged from here on" in reasons(tmp_path / "a.jsonl.gz")["a.jsonl.gz:1"]


# -- other ways in


def test_standard_input_holds_json_lines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(GOOD).encode() + b"\n{")))
    article, refusal = taken_in("-")
    assert article.url == "https://a.example/1"
    assert refusal.what == "-:2"


@pytest.mark.parametrize("name", ["missing.jsonl", "folder.jsonl", "a.csv", "a.jsonl.bz2", "a"])
def test_a_file_that_is_missing_or_of_no_known_kind_is_wrong_usage(tmp_path: Path, name):
    (tmp_path / "folder.jsonl").mkdir()
    for other in ("a.csv", "a.jsonl.bz2", "a"):
        (tmp_path / other).write_text("x")
    with pytest.raises(UsageError, match=name):
        taken_in(tmp_path / name)


def test_what_is_an_archive_is_told_by_its_name():
    assert all(map(is_archive, ("-", "a.jsonl", "a.JSONL.GZ", "a.ndjson", "a.parquet", "a.warc", "a.warc.gz")))
    assert not any(map(is_archive, ("a.txt", "a.html", "a", "https://a.example/x")))


# -- Parquet


def written(path: Path, **columns: object) -> Path:
    parquet.write_table(pa.table(columns), path / "a.parquet")
    return path / "a.parquet"


def test_parquet_columns_are_fields_and_times_may_be_times(tmp_path: Path):
    path = written(
        tmp_path,
        url=["https://a.example/1", "https://a.example/2"],
        text=["One.", None],
        html=[None, "<p>Two."],
        published=[datetime(2026, 3, 1, 8, tzinfo=UTC), None],
        first_seen=pa.array([date(2026, 3, 2), None]),
        words=[1, 1],
    )
    assert taken_in(path) == [
        Submission(
            url="https://a.example/1",
            text="One.",
            published=datetime(2026, 3, 1, 8, tzinfo=UTC),
            first_seen=datetime(2026, 3, 2, tzinfo=UTC),
        ),
        Submission(url="https://a.example/2", html="<p>Two.", first_seen=NOW),
    ]


def test_a_row_of_a_parquet_file_that_cannot_be_used_is_named_and_the_rest_goes_on(tmp_path: Path):
    texts = pa.Array.from_buffers(pa.string(), 3, pa.array([b"ok", b"\xff\xfe", b"ok"]).buffers())  # a writer that did not look
    path = written(tmp_path, url=["https://a.example/1", "https://a.example/2", None], text=texts)
    assert urls(path) == ["https://a.example/1"]
    assert list(reasons(path)) == ["a.parquet:2", "a.parquet:3"]


def test_parquet_of_something_else_is_refused_in_one_line(tmp_path: Path):
    assert "no column url; columns are price" in reasons(written(tmp_path, price=[1, 2]))["a.parquet"]
    (tmp_path / "b.parquet").write_bytes(b"PAR1 not really")
    assert "no readable Parquet" in reasons(tmp_path / "b.parquet")["b.parquet:1"]


# -- WARC

PAGE = b"<html><body><p>The ferry is late.</p></body></html>"


def captured(path: Path, *pages: dict[str, Any], name: str = "a.warc.gz") -> Path:
    """A web archive of responses, after the record that describes the file itself."""
    with (path / name).open("wb") as stream:
        writer = WARCWriter(stream, gzip=name.endswith(".gz"))
        writer.write_record(writer.create_warcinfo_record(name, {"software": "tests"}))
        for page in pages:
            headers = StatusAndHeaders(
                page.get("status", "200 OK"), page.get("headers", [("Content-Type", "text/html")]), protocol="HTTP/1.1"
            )
            record = writer.create_warc_record(
                page.get("url", "https://a.example/1"),
                page.get("kind", "response"),
                payload=io.BytesIO(page.get("body", PAGE)),
                http_headers=headers,
                warc_headers_dict={"WARC-Date": page.get("date", "2026-03-05T06:07:08Z")},
            )
            writer.write_record(record)
    return path / name


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "A.WARC.GZ"])
def test_pages_of_a_web_archive_were_seen_when_they_were_captured(tmp_path: Path, name):
    (article,) = taken_in(captured(tmp_path, {}, name=name))
    assert article == Submission(url="https://a.example/1", html=PAGE.decode(), first_seen=datetime(2026, 3, 5, 6, 7, 8, tzinfo=UTC))


def test_what_is_no_page_is_passed_over_without_a_word(tmp_path: Path):
    path = captured(
        tmp_path,
        {"status": "404 Not Found"},
        {"status": "301 Moved"},
        {"headers": [("Content-Type", "image/png")]},
        {"headers": []},
        {"kind": "request", "status": "GET / HTTP/1.1"},
        {"url": "https://a.example/kept", "headers": [("Content-Type", "application/xhtml+xml; charset=utf-8")]},
    )
    assert (urls(path), reasons(path)) == (["https://a.example/kept"], {})


def test_a_compressed_page_is_decompressed_and_an_encoding_nobody_knows_is_refused(tmp_path: Path):
    html = ("Content-Type", "text/html; charset=iso-8859-1")
    zipped = {"headers": [html, ("Content-Encoding", "gzip")], "body": gzip.compress("Fähre".encode("latin-1"))}
    path = captured(tmp_path, zipped, {"headers": [html, ("Content-Encoding", "x-snail")]})
    assert [r.html for r in taken_in(path) if isinstance(r, Submission)] == ["Fähre"]
    assert reasons(path) == {"a.warc.gz:3": "content encoding 'x-snail' cannot be read"}


def test_a_long_page_is_read_whole_and_one_that_is_too_long_is_refused(tmp_path: Path):
    long = b"<p>" + b"0123456789" * 300_000
    path = captured(tmp_path, {"body": long}, {"body": b"x" * (MAX_PAGE + 1)}, {})
    assert [len(r.html) for r in taken_in(path) if isinstance(r, Submission)] == [len(long), len(PAGE)]
    assert reasons(path) == {"a.warc.gz:3": "page larger than 10 MB"}


def test_a_page_without_a_web_address_is_refused(tmp_path: Path):
    assert "'http:///x' is not an http" in reasons(captured(tmp_path, {"url": "http:///x"}, {}))["a.warc.gz:2"]


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_a_page_that_breaks_off_is_refused(tmp_path: Path, name):
    body = b"<p>" + bytes(n * n * 31 % 251 for n in range(200_000))
    path = captured(tmp_path, {}, {"body": body}, name=name)
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 3])
    assert urls(path) == ["https://a.example/1"]
    assert "breaks off" in reasons(path)[f"{name}:3"]


@pytest.mark.parametrize("content", [b"", b"no archive\r\n\r\n", b"\x1f\x8b" + bytes(50), b"\x00" * 500])
def test_what_is_no_web_archive_is_refused(tmp_path: Path, content):
    (tmp_path / "a.warc").write_bytes(content)
    assert urls(tmp_path / "a.warc") == []
    (reason,) = reasons(tmp_path / "a.warc").values()
    assert reason.isprintable()


@pytest.mark.parametrize("at", [0.3, 0.5, 0.7])
def test_of_a_damaged_web_archive_the_sound_part_is_taken_in_and_the_damage_is_named(tmp_path: Path, at):
    pages = [{"url": f"https://a.example/{n}", "body": b"<p>" + bytes((n * 7 + k * k * 31) % 251 for k in range(3_000))} for n in range(20)]
    path = captured(tmp_path, *pages)
    body = path.read_bytes()
    path.write_bytes(body[: int(len(body) * at)] + b"\xaa" * 40 + body[int(len(body) * at) + 40 :])
    sound = urls(path)
    assert 2 <= len(sound) < 16
    assert sound == [page["url"] for page in pages[: len(sound)]]
    assert len(reasons(path)) == 1


# -- one article


def test_a_file_of_text_and_one_of_html_are_one_article_each(tmp_path: Path):
    (tmp_path / "a.txt").write_text("The ferry is late.", encoding="utf-8")
    (tmp_path / "a.html").write_text("\ufeff \n<p>The ferry is late.", encoding="utf-8")
    text, page = read_single(str(tmp_path / "a.txt"), NOW), read_single(str(tmp_path / "a.html"), NOW)
    assert (text.text, text.html) == ("The ferry is late.", None)
    assert (page.text, page.html.strip()) == (None, "<p>The ferry is late.")
    assert text.url != page.url


def test_standard_input_is_one_article_when_one_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"The ferry is late.")))
    assert read_single("-", NOW).text == "The ferry is late."


@pytest.mark.parametrize("name", ["missing.txt", "folder", "a\0b", "long" * 2_000])
def test_a_file_that_cannot_be_read_is_wrong_usage_and_says_what_to_name(tmp_path: Path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="a file of text or HTML"):
        read_single(str(tmp_path / name), NOW)


def test_a_file_that_is_too_large_for_one_article_is_wrong_usage(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes(b"x" * (MAX_PAGE + 1))
    with pytest.raises(UsageError, match="larger than 10 MB"):
        read_single(str(tmp_path / "a.txt"), NOW)


def test_an_article_whose_claimed_time_cannot_be_read_comes_in_without_it_and_that_is_told(lines):
    path = lines(GOOD | {"published": "the day before"}, GOOD | {"url": "https://a.example/2", "published": "2026-03-01T10:00:00Z"})
    assert [(a.url[-1], a.published) for a in taken_in(path) if isinstance(a, Submission)] == [
        ("1", None),
        ("2", NOW.replace(month=3, hour=10)),
    ]
    assert reasons(path) == {"a.jsonl:1": "published 'the day before' is no time; the article is taken without it"}


def test_a_login_in_an_address_is_not_taken_in(lines):
    assert urls(lines(GOOD | {"url": "https://ada:swordfish@a.example/1?x=u@v"})) == ["https://a.example/1?x=u@v"]


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"%PDF-1.7\n"], ids=["picture", "packed", "pdf"])
def test_a_file_that_is_no_text_is_refused_as_one(tmp_path: Path, start: bytes):
    (tmp_path / "x").write_bytes(start + bytes(n * n * 7 % 256 for n in range(5_000)))
    with pytest.raises(UsageError, match="x: this is no text; name a file of plain text or HTML"):
        read_single(str(tmp_path / "x"), NOW)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1251", "utf-8"])
def test_a_text_in_any_encoding_is_one(tmp_path: Path, encoding: str):
    text = "Паром опаздывает, и никто не знает почему.\x0c\n" * 20
    (tmp_path / "x").write_bytes(text.encode(encoding))
    assert read_single(str(tmp_path / "x"), NOW).text is not None
