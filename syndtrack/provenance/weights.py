"""What each piece of evidence weighs, in log-odds."""

from __future__ import annotations

from collections.abc import Mapping

FIRST: Mapping[str, float] = {
    "overlap.share": 1.5, "overlap.deficit": -0.35, "overlap.deficit_share": -2.0, "overlap.best": 0.6,
    "innovation.shared": 1.5, "innovation.shared_words": 0.1, "innovation.missed_edits": -0.8, "innovation.missed_words": -0.2,
    "innovation.own_edits": -0.8, "innovation.own_words": -0.15, "innovation.left_edits": -0.3, "innovation.left_inner": -0.1,
    "innovation.left_outer": -0.05, "innovation.own": -0.5, "innovation.lines": 1.5, "innovation.rare_title": 0.7, "innovation.part_title": 0.5,
    "credit.named": 4.0, "credit.address": 2.0, "credit.hat": 0.7, "credit.other_present": -1.0, "credit.other_hidden": -1.0,
    "credit.same_origin": 1.5, "credit.line_inherited": 1.0, "credit.reverse": -4.0, "credit.source_derived": -0.2,
    "link.to": 2.5, "link.back": -2.5, "canonical.to": 4.0, "canonical.back": -4.0, "prior.agency": 1.5,
    "wire.named": 4.0, "wire.same_line": 1.0, "wire.other_line": -0.5, "wire.copy_only": -2.5, "wire.source_only": -0.2,
    "time.much_earlier": -5.0, "time.hours_earlier": -3.0, "time.earlier": -1.5, "time.just_earlier": -0.8, "time.just_later": 0.0,
    "time.claim_much_earlier": -3.0, "time.claim_hours_earlier": -3.0, "time.claim_earlier": -2.0, "time.claim_just_earlier": -1.0,
    "time.days": -0.5, "time.weeks": -1.0, "time.earliest": 0.7,
    "hidden": 3.0, "hidden.agency": 1.0, "hidden.carriers": 0.5, "hidden.other_present": -4.0, "hidden.several": -1.0, "hidden.in_story": -1.0,
    "sibling": -1.0, "sibling.wire": 1.0, "sibling.share": 1.0, "sibling.names_other": -3.0,
    "none": 1.0, "none.agency": 4.0, "none.own_wire": 2.0, "none.earliest": 1.5, "none.earlier": -0.3, "none.share": -1.0,
    "none.credited": -3.0, "none.named_by": 2.0, "none.hidden": 0.5,
}  # fmt: skip
SECOND = FIRST


def score(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The log-weight of an answer. A feature without a weight weighs nothing."""
    return sum(weights.get(name, 0.0) * value for name, value in features.items())
