"""Evidence of an edge as a person can check it: words quoted from the copy, and what each kind of reason adds to the odds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from syndtrack.models import Evidence, EvidenceKind, Version
from syndtrack.plurals import counted
from syndtrack.provenance.features import Option, Story
from syndtrack.provenance.habits import HABIT_STEPS
from syndtrack.provenance.statements import Statement

# What is worth a word of a publisher's dates.
REMARKS: Mapping[str, str] = {"slow": "is seen hours late as a rule", "off": "is often dated wrongly"}
OMISSIONS: Mapping[str, str] = {
    "innovation.rare_end": "both end where other versions go on",
    "innovation.rare_gap": "both lack a passage that other versions have",
}
# Longest quotation, in code points.
QUOTE = 300


def group_weights(features: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    """Log-weight by the first part of the features' names."""
    sums: dict[str, float] = defaultdict(float)
    for name, value in features.items():
        sums[name.partition(".")[0]] += weights.get(name, 0.0) * value
    return dict(sums)


def evidence_for(story: Story, copy: int, option: Option, rival: Option | None, weights: Mapping[str, float]) -> tuple[Evidence, ...]:
    """The reasons for an answer. Weights are differences to the next best answer, so that with a constant for what no reason shows
    (the readiness to copy at all) they add up to the log-odds between the two.
    """
    mine = group_weights(option.features, weights)
    theirs = group_weights(rival.features, weights) if rival else {}
    # sorted: the order of a set differs from process to process, and with it the last digits of a sum
    weight = {kind: round(mine.get(kind, 0.0) - theirs.get(kind, 0.0), 3) for kind in sorted(mine.keys() | theirs.keys())}
    if option.comparison is None:
        standing = round(sum(weight.values()), 3)
        return tuple(_credit_evidence(story, copy, option.publisher_id, standing)) or _sibling_evidence(story, copy, option, standing)
    found = [_overlap(story, copy, option, weight.get("overlap", 0.0))]
    if (innovation := _innovation(story, copy, option, weight.get("innovation", 0.0))) is not None:
        found.append(innovation)
    stated = weight.get("credit", 0.0) + weight.get("wire", 0.0)
    found += _credit_evidence(story, copy, story.versions[option.head].publisher_id, stated)
    found += _habit(story, copy, option, weight.get("habit", 0.0))
    found += _pointers(story.versions[copy], story.versions[option.head], weight)
    found.append(_time(story, copy, option.head, weight.get("time", 0.0)))
    return tuple(found)


def _overlap(story: Story, copy: int, option: Option, weight: float) -> Evidence:
    """The longest common passage, quoted from the copy."""
    found = story.desk.longest(copy, option.head)
    if found is None:
        return Evidence("overlap", "no five words in a row stand in both", weight)
    start, end = found[0], min(found[1], found[0] + QUOTE)
    return Evidence("overlap", story.versions[copy].texts[0][start:end], weight, start, end)


def _innovation(story: Story, copy: int, option: Option, weight: float) -> Evidence | None:
    """A line that both carry although it is nobody's text, else what they share and lack against the other versions."""
    mine, theirs = story.prepared[copy], story.prepared[option.head]
    common = {n: s for n, s in mine.lines.items() if n in theirs.lines} or {n: s for n, s in mine.captions.items() if n in theirs.captions}
    if common and (option.features.get("innovation.lines") or option.features.get("innovation.captions")):
        start, end = common[max(common, key=len)]
        return Evidence("innovation", story.versions[copy].texts[0][start:end], weight, start, end)
    c = option.comparison
    told = [f"{c.rare_shared} of {c.rare} runs of words that few versions have are in both"] if c is not None and c.rare else []
    told += [words for name, words in OMISSIONS.items() if option.features.get(name)]
    return Evidence("innovation", "; ".join(told), weight) if told else None


def _credit_evidence(story: Story, copy: int, publisher_id: int | None, weight: float) -> list[Evidence]:
    named = [s for s in story.said[copy].all if s.publisher_id == publisher_id]
    return [
        Evidence(_kind_of(s), s.credit.text, round(weight / len(named), 3), s.credit.start, s.credit.end)
        for s in named
    ]  # fmt: skip


def _kind_of(s: Statement) -> EvidenceKind:
    if s.credit.kind == "wire":
        return "wire"
    if s.credit.start is not None:
        return "credit"
    return "canonical" if s.credit.field and "canonical" in s.credit.field else "feed-source"


def _sibling_evidence(story: Story, copy: int, option: Option, weight: float) -> tuple[Evidence, ...]:
    carriers = [u for u in story.candidates[copy] if any(s.publisher_id == option.publisher_id for s in story.said[u].all)]
    if not carriers:
        return ()
    told = "article with this text names" if len(carriers) == 1 else "articles with this text name"
    return (Evidence("overlap", f"{len(carriers)} {told} that publisher", weight),)


def _pointers(version: Version, other: Version, weight: Mapping[str, float]) -> list[Evidence]:
    found = []
    if other.article_id in version.links:
        at = version.texts[0].find(other.url)
        found.append(Evidence("link", other.url, weight.get("link", 0.0), *((at, at + len(other.url)) if at >= 0 else (None, None))))
    if version.canonical_of == other.article_id:
        found.append(Evidence("canonical", other.url, weight.get("canonical", 0.0)))
    return found


def _habit(story: Story, copy: int, option: Option, weight: float) -> list[Evidence]:
    """What the copy's publisher says elsewhere. How often is told in steps: the edge is made anew when a step is taken, not before."""
    mine, theirs = story.versions[copy].publisher_id, story.versions[option.head].publisher_id
    step = 2 if "habit.firm" in option.features else 1 if "habit.usual" in option.features else 0
    if not step:
        return []
    names, least = (story.publishers[mine].name, story.publishers[theirs].name), HABIT_STEPS[step - 1]
    return [Evidence("credit", f"{names[0]} names {names[1]} as its source in {least} or more of its articles", weight)]


def _time(story: Story, copy: int, source: int, weight: float) -> Evidence:
    version, other = story.versions[copy], story.versions[source]
    order = f"first seen {_apart(version.first_seen - other.first_seen)} it"
    if version.published and other.published:
        order += f"; dated {_apart(version.published - other.published)} it"
    for publisher in (story.publishers[version.publisher_id], story.publishers[other.publisher_id]):
        if remark := REMARKS.get(publisher.dates):
            order += f"; {publisher.name} {remark}"
    return Evidence("time", order, weight)


def _apart(lag: timedelta) -> str:
    """A span of time in words: "90 minutes after", "3 days before"."""
    minutes = abs(round(lag.total_seconds() / 60))
    span = counted(minutes, "minute") if minutes < 120 else f"{minutes // 60} hours" if minutes < 2_880 else f"{minutes // 1_440} days"
    return f"{span} {'after' if lag.total_seconds() >= 0 else 'before'}"
