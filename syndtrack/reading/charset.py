"""Bytes of a page to text, by what the page and its server say and what the bytes look like."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
HEADER = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
META_WITHIN = 4_096  # bytes; HTML asks for it within the first 1,024, pages do not all obey
DETECT_WITHIN = 60_000  # bytes; more makes the guess slower, not better

# What browsers read these labels as (WHATWG Encoding Standard, 4.2): pages that say Latin-1 use the Windows quotes.
LABELS = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
}


def decode(body: bytes, content_type: str | None = None) -> str:
    """The text of a page: byte order mark, else UTF-8 if it is that, else the server's or the page's label, else a guess. Never raises."""
    for mark, name in BOMS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    try:
        return body.decode("utf-8")  # bytes that are valid UTF-8 by chance are next to none, wrong labels are many
    except UnicodeDecodeError:
        pass
    stated = HEADER.search(content_type or "")
    meta = META.search(body[:META_WITHIN])
    for label in (stated.group(1) if stated else None, meta.group(1).decode("ascii") if meta else None):
        if label and (text := _by_label(body, label)) is not None:
            return text
    best = from_bytes(body[:DETECT_WITHIN]).best()
    text = _by_label(body, best.encoding) if best is not None else None
    return body.decode("cp1252", "replace") if text is None else text


def _by_label(body: bytes, label: str) -> str | None:
    """Decoded as labelled; None for an unknown label or where more than a stray byte does not fit."""
    name = LABELS.get(label.lower(), label)
    try:
        text = body.decode(name, "replace")
    except (LookupError, ValueError):
        return None
    return text if text.count("�") <= 1 + len(text) // 500 else None
