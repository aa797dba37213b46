"""Rows in the forms they are printed in: JSON, JSON Lines, CSV, HTML, and text for people."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from syndtrack.urls import is_http

FORMATS = ("text", "json", "jsonl", "csv", "html")
SHOWN = 60  # characters of a cell on a terminal
QUOTED = 110  # characters of a title, quotation or cell in text for people
CODES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what a terminal would obey
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Record = Mapping[str, Any]


def print_rows(rows: Iterable[Record], form: str, *, empty: str, title: str, header: Sequence[str], columns: Sequence[str] = ()) -> None:
    """Print rows to standard output in one of FORMATS.

    Where there are none, text and HTML say `empty`, and CSV has the names in `header`. `columns` are those that a terminal has room for
    (all by default).
    """
    match form:
        case "json":
            sys.stdout.write(json.dumps(list(rows), ensure_ascii=False, indent=1) + "\n")
        case "jsonl":
            for row in rows:
                sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        case "csv":
            for line in _csv(rows, header):
                sys.stdout.write(line)
        case "html":
            sys.stdout.write("".join(html_table(rows, title=title, empty=empty)))
        case _:
            _print_text(rows, empty, columns)


def _print_text(rows: Iterable[Record], empty: str, columns: Sequence[str]) -> None:
    """A table on a terminal; in a pipe one tab-separated line a row. Addresses are whole in a pipe: they are what is copied from it."""
    found = list(rows)
    if not found:
        sys.stdout.write(empty + "\n")
        return
    names = list(found[0])
    if sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415 - 80 ms to import, and pipes need none of it
        from rich.table import Table  # noqa: PLC0415 - as above
        from rich.text import Text  # noqa: PLC0415 - as above

        shown = [n for n in columns if n in names] or names
        table = Table()
        for name in shown:
            table.add_column(name, overflow="fold")
        for row in found:
            table.add_row(*(Text(_shortened(row.get(n), SHOWN)) for n in shown))
        Console().print(table)
        return
    sys.stdout.write("\t".join(names) + "\n")
    for row in found:
        cells = (row.get(n) for n in names)
        sys.stdout.write("\t".join(plain(c) if isinstance(c, str) and is_http(c) else _shortened(c, QUOTED) for c in cells) + "\n")


def _csv(rows: Iterable[Record], header: Sequence[str]) -> Iterator[str]:
    """Lines of CSV, RFC 4180; nested values as JSON."""
    each = iter(rows)
    first = list(islice(each, 1))
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    names = list(first[0]) if first else header
    writer.writerow(names)
    yield _taken(buffer)
    for row in chain(first, each):
        writer.writerow([_safe(_cell(row.get(n))) for n in names])
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    """What was written, which leaves the buffer."""
    written = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return written


def html_table(rows: Iterable[Record], *, title: str, empty: str) -> Iterator[str]:
    """A whole page with one table."""
    yield f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>\n<h1>{html.escape(title)}</h1>\n'
    names: Sequence[str] = ()
    for row in rows:
        if not names:
            names = list(row)
            yield "<table>\n<tr>" + "".join(f"<th>{html.escape(n)}</th>" for n in names) + "</tr>\n"
        yield "<tr>" + "".join(f"<td>{html.escape(_cell(row.get(n)))}</td>" for n in names) + "</tr>\n"
    yield "</table>\n</html>\n" if names else f"<p>{html.escape(empty)}</p>\n</html>\n"


def plain(text: str) -> str:
    """Text of others without control characters: a title may hold escape codes that a terminal would obey."""
    return CONTROL.sub("\ufffd", text)


def one_line(text: str, most: int = QUOTED) -> str:
    """Text of others on one line, not too long."""
    line = plain(" ".join(text.split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def _cell(value: object) -> str:
    """A value as text. JSON escapes what a terminal would obey, so that nested values need no more."""
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return CODES.sub("\ufffd", str(value))


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not cell.lstrip("+-").replace(".", "", 1).isdigit() else cell


def _shortened(value: object, most: int) -> str:
    """For people: a cell on one line, not too long."""
    return one_line(_cell(value), most)
