"""The answers open to each version of a story, and what speaks for each: names and numbers, to be weighed in `weights.py`.

An answer is another version ("candidate"), a publisher whose article was not observed ("hidden"), or no source at all ("none"). A feature's
name begins with the kind of evidence it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import log1p

from syndtrack.models import Match, Version
from syndtrack.provenance.comparing import Comparison, Desk
from syndtrack.provenance.habits import claim_kind
from syndtrack.provenance.omissions import NEXT_TO_NOTHING, Around, around, omissions
from syndtrack.provenance.statements import Statements, statements_of
from syndtrack.provenance.texts import Prepared, prepare
from syndtrack.provenance.trees import OUTSIDE
from syndtrack.publishers import Registry
from syndtrack.urls import article_key

# So many candidates of a copy are compared word by word, the closest of at most five times as many.
MOST_CANDIDATES = 40
# A named publisher's article counts as a candidate, matched or not, from so many common shingles on: about two sentences.
LEAST_SHARED = 8
HOUR = timedelta(hours=1)
LAGS = ((-6.0, "much_earlier"), (-1.5, "hours_earlier"), (-0.35, "earlier"), (0.0, "just_earlier"), (0.35, "just_later"), (1.5, "soon"),
        (6.0, "hours"), (24.0, "day"), (96.0, "days"))  # fmt: skip
SLOW_LAGS = ((-1.5, "earlier"), (0.0, "just_earlier"), (1.5, "just_later"))


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer for one version, with its features."""

    head: int
    publisher_id: int | None
    features: Mapping[str, float]
    comparison: Comparison | None = None


@dataclass(slots=True)
class Story:
    """Everything about one connected group of versions that features are made of; places are positions in `versions`, by first_seen."""

    versions: tuple[Version, ...]
    matches: Mapping[tuple[int, int], Match]
    publishers: Registry
    prepared: list[Prepared] = field(init=False)
    desk: Desk = field(init=False)
    said: list[Statements] = field(init=False)
    candidates: list[list[int]] = field(init=False)
    naming: dict[int, list[int]] = field(init=False)
    claims: list[tuple[datetime, bool] | None] = field(init=False)

    def __post_init__(self) -> None:
        self.prepared, distinct, ways = prepare(self.versions)
        self.desk = Desk(self.prepared, distinct, ways)
        self.said = [statements_of(v) for v in self.versions]
        self.claims = [self._claim(v) for v in self.versions]
        self.candidates = self._candidates()
        self.naming = self._naming()

    def match(self, copy: int, source: int) -> tuple[float, float, Match | None]:
        """Shares of the copy in the source and of the source in the copy, and the match; zeros where the two only name each other."""
        a, b = self.versions[copy].article_id, self.versions[source].article_id
        match = self.matches.get((min(a, b), max(a, b)))
        if match is None:
            return 0.0, 0.0, None
        return (match.a_in_b, match.b_in_a, match) if a < b else (match.b_in_a, match.a_in_b, match)

    def _naming(self) -> dict[int, list[int]]:
        """The versions that name each version's publisher as their source, as far as they are candidates of each other."""
        found: dict[int, list[int]] = {}
        for copy, sources in enumerate(self.candidates):
            for u in sources:
                if self.versions[u].publisher_id in self.said[copy].ids:
                    found.setdefault(u, []).append(copy)
        return found

    def _candidates(self) -> list[list[int]]:
        places = {v.article_id: i for i, v in enumerate(self.versions)}
        found: list[list[int]] = [[] for _ in self.versions]
        for a, b in self.matches:
            if a in places and b in places and self.versions[places[a]].publisher_id != self.versions[places[b]].publisher_id:
                found[places[a]].append(places[b])
                found[places[b]].append(places[a])
        of_publisher: dict[int, list[int]] = {}
        for i, v in enumerate(self.versions):
            of_publisher.setdefault(v.publisher_id, []).append(i)
        for copy, sources in enumerate(found):
            named = {u for p in self.said[copy].ids for u in of_publisher.get(p, ())}
            sources.extend(u for u in sorted(named - set(sources)) if self.desk.shared(copy, u) >= LEAST_SHARED)
        return [sorted(self._most_promising(copy, sources)) for copy, sources in enumerate(found)]

    def _most_promising(self, copy: int, sources: list[int]) -> list[int]:
        if len(sources) <= MOST_CANDIDATES:
            return sources
        version, said = self.versions[copy], self.said[copy]
        named = said.republication_ids | said.wire_ids

        def bonus(source: int) -> float:
            other = self.versions[source]
            pointed = other.publisher_id in named or other.article_id in version.links or other.article_id == version.canonical_of
            return 1.0 * pointed - 0.3 * (other.first_seen > version.first_seen + 2 * HOUR)

        def likely(source: int) -> tuple[float, int]:
            return (-self.match(copy, source)[0] - bonus(source), source)

        def close(source: int) -> tuple[float, int]:
            return (-self.desk.closeness(copy, source) - bonus(source), source)

        return sorted(sorted(sources, key=likely)[: 5 * MOST_CANDIDATES], key=close)[:MOST_CANDIDATES]

    def likely_witnesses(self, copy: int) -> set[int]:
        """Candidates that were there when the copy was made, as far as observation tells; all of them if none was."""
        limit = self.versions[copy].first_seen + 2 * HOUR
        found = {u for u in self.candidates[copy] if self.versions[u].first_seen <= limit}
        return found or set(self.candidates[copy])

    def options(self, copy: int, witnesses: Collection[int], among: Sequence[int] | None = None) -> list[Option]:
        """Every answer for one version: its candidates or those `among` them first, then publishers without an article, then none.

        `witnesses`: candidates thought not to derive from it.
        """
        sources = self.candidates[copy] if among is None else among
        naming = {u: [w for w in self.naming.get(u, ()) if w != copy] for u in sources}
        compared = self.desk.compare(copy, sources, witnesses, naming)
        others = around(sources, compared, witnesses)
        found = [Option(u, None, self._candidate(copy, u, c, others), c) for u, c in zip(sources, compared, strict=True)]
        rare = self._rare(copy, compared)
        likely = [c for u, c in zip(sources, compared, strict=True) if u in witnesses]
        pure = sum(c.own_edits == c.missed_edits == 0 and c.missed_words <= NEXT_TO_NOTHING for c in likely)
        bound = compared[0].rare_edits + (compared[0].rare >= LEAST_SHARED) if compared else 0
        for p, f in self._hidden(copy).items():
            more = {f"hidden.{name}": value for name, value in rare.items()}
            if pure and "sibling" in f:
                more["sibling.pure"] = log1p(pure)
            if bound and "hidden.agency_republication" in f:
                more["hidden.agency_bound"] = log1p(bound)
            found.append(Option(OUTSIDE, p, f | more))
        of_copy = compared[0].of_copy if compared else 1
        found.append(
            Option(OUTSIDE, None, self._none(copy, others.best, others.best / max(1, of_copy)) | {f"none.{k}": v for k, v in rare.items()})
        )
        return found

    def _rare(self, copy: int, compared: Sequence[Comparison]) -> dict[str, float]:
        """Innovations that this version shares with few others: a source of its own would have to explain them."""
        holders = self._title_holders(copy)
        features = {
            "rare_words": log1p(compared[0].rare) if compared else 0.0,
            "rare_edits": log1p(compared[0].rare_edits) if compared else 0.0,
            "rare_style": log1p(max((c.rare_style for c in compared), default=0)),
            "rare_title": float(0 < holders * 2 <= len(compared)),
            "lines": log1p(
                max((len(self.prepared[copy].lines.keys() & self.prepared[u].lines.keys()) for u in self.candidates[copy]), default=0)
            ),
            "whole": float(any(c.shared + 2 >= c.of_copy for c in compared)),
        }
        return {name: value for name, value in features.items() if value}

    def _title_holders(self, copy: int) -> int:
        """How many candidates have the headline of a version."""
        title = self.prepared[copy].title
        return sum(self.prepared[u].title == title for u in self.candidates[copy]) if title else 0

    # -- a candidate

    def _candidate(self, copy: int, source: int, c: Comparison, others: Around) -> dict[str, float]:
        deficit = max(0, others.best - c.shared - c.backed)
        features = {
            "overlap.share": c.share,
            "overlap.deficit": log1p(deficit),
            "overlap.deficit_share": deficit / max(1, c.of_copy),
            "overlap.best": float(deficit <= 2),
            "overlap.of_source": self.match(copy, source)[1],
            "innovation.shared": c.rare_shared / c.rare if c.rare else 0.0,
            "innovation.shared_words": log1p(c.rare_shared),
            "innovation.missed_edits": log1p(c.missed_edits),
            "innovation.missed_words": log1p(c.missed_words),
            "innovation.own_edits": log1p(c.own_edits),
            "innovation.own_head": log1p(c.own_head),
            "innovation.own_inner": log1p(c.own_inner),
            "innovation.own_tail": log1p(c.own_tail),
            "innovation.left_edits": log1p(c.left_edits),
            "innovation.left_inner": log1p(c.left_inner),
            "innovation.left_head": log1p(c.left_head),
            "innovation.left_tail": log1p(c.left_tail),
            "innovation.backed": log1p(c.backed),
            "innovation.restyled": log1p(c.restyled),
            "innovation.style_missed": log1p(c.style_missed),
            "innovation.rare_style": log1p(c.rare_style),
            "innovation.as_written": float(c.restyled <= 2),
            "innovation.unmatched": float(self.match(copy, source)[2] is None),
            "innovation.missed": float(c.missed_edits + c.missed_words > 2),
            "innovation.missed_passage": float(c.missed_words >= LEAST_SHARED),
            "innovation.replaced": float(c.missed_words >= LEAST_SHARED and c.own_tail >= LEAST_SHARED),
            "prior.named_by": log1p(sum(w != copy for w in self.naming.get(source, ()))),
            "innovation.own": float(c.own_edits > 0),
            "innovation.only": float(c.only > 0),
            "innovation.only_words": log1p(c.only),
        }
        for part in (
            omissions(source, c, others),
            self._inherited(copy, source),
            self._credits(copy, source, c, deficit),
            self._wire(copy, source),
            self._time(copy, source),
        ):
            features |= part
        return {name: value for name, value in features.items() if value}

    def _inherited(self, copy: int, source: int) -> dict[str, float]:
        mine, theirs = self.prepared[copy], self.prepared[source]
        others = self.candidates[copy]
        most = max(2, len(others)) / 2
        lines = [n for n in mine.lines if n in theirs.lines and sum(n in self.prepared[w].lines for w in others) <= most]
        captions = [n for n in mine.captions if n in theirs.captions and sum(n in self.prepared[w].captions for w in others) <= most]
        same_title = bool(mine.title) and mine.title == theirs.title
        title_holders = self._title_holders(copy)
        return {
            "innovation.lines": log1p(len(lines)),
            "innovation.captions": log1p(len(captions)),
            "innovation.title": float(same_title),
            "innovation.rare_title": float(same_title and title_holders * 2 <= len(others)),
            "innovation.part_title": float(bool(theirs.title) and not same_title and theirs.title in mine.title),
        }

    def _credits(self, copy: int, source: int, c: Comparison, deficit: int) -> dict[str, float]:
        mine, theirs, version, other = self.said[copy], self.said[source], self.versions[copy], self.versions[source]
        named = [s for s in mine.republication if s.publisher_id == other.publisher_id]
        elsewhere = {s.publisher_id for s in mine.republication} - {other.publisher_id}
        # Papers that print one agency's text name it in such a line, too: that tells nothing of a hop that was skipped.
        skipped = {p for p in elsewhere if not self._is_agency(p)}
        present = {self.versions[u].publisher_id for u in self.candidates[copy]}
        their_lines = {s.line for s in theirs.republication}
        features = {
            "credit.named": float(bool(named)),
            "credit.hat": float(other.publisher_id in mine.hat_ids),
            "credit.other_present": float(bool(elsewhere & present)),
            "credit.other_hidden": float(bool(skipped - present)),
            "credit.same_origin": float(bool(skipped & (theirs.republication_ids | theirs.wire_ids))),
            "credit.line_inherited": float(
                any(s.publisher_id in skipped and s.telling and s.line in their_lines for s in mine.republication)
            ),
            "credit.reverse": float(version.publisher_id in theirs.republication_ids | theirs.wire_ids | theirs.hat_ids),
            "credit.source_derived": float(bool(theirs.republication)),
            "link.to": float(other.article_id in version.links),
            "link.back": float(version.article_id in other.links),
            "canonical.to": float(version.canonical_of == other.article_id),
            "canonical.back": float(other.canonical_of == version.article_id),
            "prior.owner": float(version.owner is not None and version.owner == other.owner),
            "prior.agency": float(other.is_agency),
            "prior.unnamed": float(not mine.all),
            # a credit may be wrong: what speaks against one that names this candidate, and for this one against a credit
            "credit.named_deficit": float(bool(named)) * log1p(deficit),
            "credit.named_missed": float(bool(named) and c.missed_words >= LEAST_SHARED),
            "credit.named_edits": float(bool(named)) * log1p(c.missed_edits),
            "credit.named_later": float(bool(named) and other.first_seen > version.first_seen + HOUR / 2),
            "credit.named_claims_later": float(bool(named) and self._claims_later(copy, source)),
            "credit.other_shared": float(bool(elsewhere)) * c.rare_shared / max(1, c.rare),
            "credit.other_lines": float(bool(elsewhere) and any(n in self.prepared[source].lines for n in self.prepared[copy].lines)),
        }
        step = version.habits.get(other.publisher_id, 0)
        if step and other.publisher_id not in mine.ids and self.match(copy, source)[2] is not None:
            features["habit.firm" if step > 1 else "habit.usual"] = 1.0
        for s in named:
            features[f"credit.named_{s.place}"] = 1.0
            if s.credit.url and article_key(s.credit.url) == article_key(other.url):
                features["credit.address"] = 1.0
        return features

    def _wire(self, copy: int, source: int) -> dict[str, float]:
        mine, theirs, other = self.said[copy], self.said[source], self.versions[source]
        if other.publisher_id in mine.wire_ids:
            return {"wire.named": 1.0}
        both = mine.wire_ids & theirs.wire_ids
        their_lines = {s.line for s in theirs.wire}
        same = any(s.line in their_lines and " " in s.line for s in mine.wire)
        return {
            "wire.same_line": float(same),
            "wire.other_line": float(bool(both) and not same),
            "wire.copy_only": float(bool(mine.wire_ids - theirs.wire_ids)),
            "wire.source_only": float(bool(theirs.wire_ids - mine.ids)),
        }

    def _time(self, copy: int, source: int) -> dict[str, float]:
        version, other = self.versions[copy], self.versions[source]
        claims = self.claims[copy], self.claims[source]
        slow = "slow" in (self.publishers[version.publisher_id].dates, self.publishers[other.publisher_id].dates)
        seen, features = (version.first_seen - other.first_seen) / HOUR, {}
        if claims[0] is not None and claims[1] is not None:
            claimed = (claims[0][0] - claims[1][0]) / HOUR
            if claims[0][1] and claims[1][1]:
                features["time.claim_" + lag_name(claimed)] = 1.0
            else:
                features[f"time.doubted_{'earlier' if claimed < 0 else 'later'}"] = 1.0
        features["time.slow_" + slow_lag_name(seen) if slow else "time." + lag_name(seen)] = 1.0
        first = min(self.candidates[copy], key=lambda u: self.versions[u].first_seen)
        features["time.earliest"] = float(source == first)
        return features

    def _claims_later(self, copy: int, source: int) -> bool:
        """Whether a candidate claims to be younger than the copy, and both claims are believable."""
        mine, theirs = self.claims[copy], self.claims[source]
        return mine is not None and theirs is not None and mine[1] and theirs[1] and theirs[0] > mine[0]

    def _claim(self, version: Version) -> tuple[datetime, bool] | None:
        """A version's claimed time, if what was observed makes it believable; and whether its publisher's other claims do, too."""
        kind, dates = claim_kind(version.published, version.first_seen), self.publishers[version.publisher_id].dates
        if version.published is None or kind == "off":
            return None
        return version.published, dates != "off" and not (dates == "prompt" and kind == "late")

    # -- other answers

    def _hidden(self, copy: int) -> dict[int, dict[str, float]]:
        """Publishers without an article among the candidates that this version names, and the one that most candidates name."""
        said, version = self.said[copy], self.versions[copy]
        present = {self.versions[u].publisher_id for u in self.candidates[copy]}
        found = {p: self._named_hidden(copy, p, present) for p in sorted({s.publisher_id for s in said.all} - present, key=self._name)}
        carriers: dict[int, list[int]] = {}
        for u in self.candidates[copy]:
            for p in self.said[u].ids - present - found.keys() - {version.publisher_id}:
                carriers.setdefault(p, []).append(u)
        if carriers and not version.is_agency:
            p = min(carriers, key=lambda p: (-sum(self.match(copy, u)[1] for u in carriers[p]), self._name(p)))
            found[p] = self._carried(copy, p, carriers[p])
        return found

    def _carried(self, copy: int, publisher_id: int, carriers: Sequence[int]) -> dict[str, float]:
        """A publisher that only candidates name. Its text must be what they share with the copy: those count that are mostly that."""
        whole = [u for u in carriers if self.match(copy, u)[1] >= 0.6]
        version = self.versions[copy]
        return {
            "sibling": 1.0,
            "sibling.title": log1p(self._title_holders(copy)),
            "sibling.many": log1p(len(self.candidates[copy])),
            "sibling.wire": float(any(publisher_id in self.said[u].wire_ids for u in carriers)),
            "sibling.carriers": log1p(len(whole)),
            "sibling.share": len(whole) / len(self.candidates[copy]),
            "sibling.of_source": max(self.match(copy, u)[1] for u in carriers),
            "sibling.in_copy": max(self.match(copy, u)[0] for u in carriers),
            "sibling.earlier": float(any(self.versions[u].first_seen < version.first_seen for u in carriers)),
            "sibling.earliest": float(all(self.versions[u].first_seen >= version.first_seen for u in self.candidates[copy])),
            "sibling.names_other": float(bool(self.said[copy].all)),
        }

    def _alike(self, publisher_id: int, carriers: Sequence[int]) -> float:
        """The share of the candidates which name an agency that do so by a republication credit."""
        return sum(publisher_id in self.said[u].republication_ids for u in carriers) / max(1, len(carriers))

    def _is_agency(self, publisher_id: int) -> bool:
        return self.publishers[publisher_id].kind == "agency"

    def _name(self, publisher_id: int) -> str:
        return self.publishers[publisher_id].name

    def _named_hidden(self, copy: int, publisher_id: int, present: Collection[int]) -> dict[str, float]:
        said, of_agency = self.said[copy], self._is_agency(publisher_id)
        mine = [s for s in said.all if s.publisher_id == publisher_id]
        carriers = [u for u in self.candidates[copy] if any(s.publisher_id == publisher_id for s in self.said[u].all)]
        lines = {s.line for s in mine if s.credit.kind == "wire" or (s.telling and not of_agency)}
        earlier = [u for u in self.candidates[copy] if self.versions[u].first_seen < self.versions[copy].first_seen]
        features = {
            "hidden": 1.0,
            "hidden.agency": float(of_agency),
            "hidden.agency_alike": self._alike(publisher_id, carriers) if of_agency and publisher_id in said.republication_ids else 0.0,
            "hidden.address": float(any(s.credit.url for s in mine)),
            "hidden.alone": float(not self.candidates[copy]),
            "hidden.carriers": log1p(len(carriers)),
            "hidden.shared_line": float(any(s.line in lines and " " in s.line for u in carriers for s in self.said[u].all)),
            "hidden.other_present": float(bool(said.republication_ids & set(present))),
            "hidden.other_wire_present": float(bool(said.wire_ids & set(present))),
            "hidden.several": float(len({s.publisher_id for s in said.all} - set(present)) - 1),
            "hidden.in_story": float(any(v.publisher_id == publisher_id for v in self.versions)),
            "hidden.polled": float(self.publishers[publisher_id].polled and self.publishers[publisher_id].kind != "agency"),
            # an article that others copied, too, is named by one or the other of them
            "hidden.uncarried": 0.0 if carriers else log1p(len(earlier)),
            "hidden.earliest": float(not earlier),
        }
        for s in mine:
            of_papers = of_agency and s.credit.kind == "republication"
            features["hidden.agency_republication" if of_papers else f"hidden.{s.credit.kind}_{s.place}"] = 1.0
        return {name: value for name, value in features.items() if value}

    def _none(self, copy: int, best: int, share: float) -> dict[str, float]:
        version, said, sources = self.versions[copy], self.said[copy], self.candidates[copy]
        earlier = [u for u in sources if self.versions[u].first_seen < version.first_seen]
        present = {self.versions[u].publisher_id for u in sources}
        hidden = any(s.publisher_id not in present and s.publisher_id != version.publisher_id for u in sources for s in self.said[u].all)
        named_by = sum(any(s.publisher_id == version.publisher_id for s in self.said[u].all) for u in sources)
        features = {
            "none": 1.0,
            "none.agency": float(version.is_agency),
            "none.own_wire": float(said.own_wire),
            "none.alone": float(not sources),
            "none.earliest": float(not earlier),
            "none.earlier": log1p(len(earlier)),
            "none.share": share,
            "none.words": log1p(best),
            "none.hidden": float(hidden),
            "none.credited": float(bool(said.all)),
            "none.hat": float(bool(said.hat_ids)),
            "none.named_by": log1p(named_by),
            "none.title": float(self._title_holders(copy) > 0),
        }
        return {name: value for name, value in features.items() if value}


def lag_name(hours: float) -> str:
    """The named span that a lag lies in."""
    return next((name for limit, name in LAGS if hours < limit), "weeks")


def slow_lag_name(hours: float) -> str:
    """The same, roughly: for what is observed late as a rule."""
    return next((name for limit, name in SLOW_LAGS if hours < limit), "later")
