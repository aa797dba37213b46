"""The columns of every kind of row, in order: what heads a CSV file that has no rows."""

from __future__ import annotations

from collections.abc import Mapping

_TOLD = ("source", "source_publisher", "confidence", "credited", "verdict")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "duplicates": (
        *("copy", "copy_publisher", "source", "source_publisher", "kind", "confidence", "credited"),
        *("copy_first_seen", "source_first_seen", "lag_seconds", "title", "source_title"),
    ),
    "matches": ("a", "b", "resemblance", "a_in_b", "b_in_a", "shared_words", "kind", "same_publisher", "same_owner"),
    "edges": (
        *("copy", "source", "source_publisher", "observed", "kind", "confidence", "credited", "credited_to", "verdict", "evidence"),
    ),
    "publishers": (
        *("source_publisher", "copy_publisher", "copies", "edges", "same_owner", "credited_share", "median_lag_seconds"),
        *("share_of_source_reused", "share_of_copier_from_source"),
    ),
    "stories": ("title", "articles", "publishers", "independent_origins", "first_seen", "url", "alarm"),
    "feeds": (
        *("url", "title", "entries", "last_polled", "next_check", "failures", "outcome", "status", "reason", "why", "interval"),
        *("grade", "gaps"),
    ),
    "feeds --why": ("url", "next_check", "interval", "outcome", "failures", "grade", "gaps", "reason", "why"),
    "search": ("url", "publisher", "title", "first_seen", "passage"),
    "verdicts": ("copy", "source", "says", "by", "note", "at", "standing", "why"),
    "history": ("at", "article", "change", "cause", "because", *_TOLD, *(f"was_{name}" for name in _TOLD)),
    "quarantine": (
        *("id", "state", "kind", "url", "feed", "reason", "tries", "first_tried", "last_tried", "size", "content_hash"),
    ),
    "publishers list": ("name", "kind", "owner", "owner_known_from", "known_from", "articles", "feeds", "domains", "aliases"),
    "publishers owners": ("name", "owner", "known_from", "holds", "reason"),
    "publishers republished": (
        *("article", "title", "copy", "copy_publisher", "hops", "first_seen", "lag_seconds", "kind", "confidence", "credited"),
        *("credited_to", "same_owner", "share_kept", "dropped_words", "added_words", "longest_dropped", "longest_added"),
    ),
    "signature --compare": (
        *("theirs", "their_publisher", "their_title", "ours", "our_publisher", "our_title", "resemblance", "standard_error"),
    ),
}  # fmt: skip
