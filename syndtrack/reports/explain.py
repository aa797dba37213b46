"""Why each hop of a chain is drawn as it is: records of what was weighed, and the same as text for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import exp
from typing import Any, TypedDict

from rich.text import Text
from rich.tree import Tree

from syndtrack.models import Edge, VerdictKind, Version
from syndtrack.plurals import counted
from syndtrack.provenance.explaining import Answer, Explanation, Quotation, WhatIf, explain
from syndtrack.provenance.tracing import StoryTrace
from syndtrack.publishers import Registry
from syndtrack.reports.formats import one_line, plain
from syndtrack.store.lookups import Lookups

RULED_OUT: Mapping[VerdictKind, str] = {
    "reject": "rejected by a person",
    "confirm": "a person confirmed another source",
    "origin": "a person said that this article is an origin",
}
MOST_ANSWERS = 50  # of each hop in records, and of sources that a person ruled out; the command line and the pages share it
ANSWERS_SHOWN = 4  # to people
CHANGES_SHOWN = 8
ROUNDED = 0.0006  # by so much a confidence of rows, which has three digits, may differ from what was traced


class AnswerRecord(TypedDict):
    """One answer that was weighed. `source` is None for a publisher known by name only, `publisher` too for "no source at all".

    `score` is its log-weight, `probability` its share among all cycle-free choices for the story. Each piece of evidence has `weight` (in
    log-odds, against the best other answer), its `text` with `start` and `end` in the copy, and the passage of the source it is about:
    `source_text`, `source_start`, `source_end`. Only the likeliest answers have evidence.
    """

    source: str | None
    publisher: str | None
    observed: bool
    score: float
    probability: float
    evidence: list[dict[str, Any]]


class RuledOutRecord(TypedDict):
    """A source that a person ruled out. `says`: it was rejected, another was confirmed, or the article was called an origin."""

    source: str | None
    publisher: str | None
    observed: bool
    says: VerdictKind


class WhatIfRecord(TypedDict):
    """One thing changed, of the copy or of another `article`, and the answer when the story is traced again.

    `decision` is as in the explanation; `before` and `after` are the probabilities of today's answer.
    """

    change: str
    article: str | None
    article_publisher: str
    decision: str
    source: str | None
    publisher: str | None
    before: float
    after: float
    changes: bool


class ExplanationRecord(TypedDict):
    """How the source of one article was found.

    `decision`: `edge` (drawn), `undecided`, or `none` (no source). `answers` are best first, `ruled_out` those that a person's word left no
    place for; of both no more than MOST_ANSWERS, and `more_answers` and `more_ruled_out` tell how many are left out. `chosen` is the place
    of the decided one, which is never left out, and `log_odds` its score less that of the best other. `only_in_chosen` is the longest
    passage that the copy shares with the chosen article and not with the runner-up, `only_in_other` the other way round. `what_if` holds
    every single thing that was changed to see what happens, in a story of `traced_again` articles. `agrees`: tracing again gives exactly
    the stored edges.
    """

    article: str | None
    publisher: str
    decision: str
    chosen: int
    log_odds: float | None
    answers: list[AnswerRecord]
    more_answers: int
    ruled_out: list[RuledOutRecord]
    more_ruled_out: int
    only_in_chosen: dict[str, Any] | None
    only_in_other: dict[str, Any] | None
    what_if: list[WhatIfRecord]
    traced_again: int
    agrees: bool


def explanation_records(
    lookups: Lookups,
    path: Sequence[int],
    versions: Sequence[Version],
    publishers: Registry,
    trace: Callable[[Sequence[Version]], StoryTrace],
) -> list[ExplanationRecord]:
    """The articles of a chain, explained. `versions` are those of its story, `trace` traces them in memory."""
    traced = trace(versions)
    names = _Names({v.article_id: v for v in versions}, publishers)
    found = []
    for article in path:
        if article in traced.considered:
            record = names.record(explain(versions, article, traced, trace))
            gone = traced.ruled_out.get(article, ())
            record["ruled_out"] = [names.ruled_out(*each) for each in gone[:MOST_ANSWERS]]
            record["more_ruled_out"] = max(0, len(gone) - MOST_ANSWERS)
            record["agrees"] = _agree(lookups, names, article, [e for e in traced.edges if e.copy == article])
            found.append(record)
    return found


def _agree(lookups: Lookups, names: _Names, article: int, edges: Sequence[Edge]) -> bool:
    """Whether edges are those that are stored for an article, evidence and all."""
    stored = sorted(_comparable(row) for row in lookups.edges(copies=[article]))
    anew = sorted(_comparable(names.edge(e)) for e in edges)
    same = [told for told, _ in stored] == [told for told, _ in anew]
    return same and all(abs(a - b) <= ROUNDED for (_, a), (_, b) in zip(stored, anew, strict=True))


def _comparable(edge: Mapping[str, Any]) -> tuple[str, float]:
    """An edge as what may not differ between two tracings, and its confidence, which rows have rounded."""
    told = [(e["kind"], e["text"], e["start"], e["end"], round(e["weight"], 3)) for e in edge["evidence"]]
    return repr([edge[n] for n in ("source", "source_publisher", "kind", "credited", "credited_to")] + told), edge["confidence"]


class _Names:
    """Addresses and publishers' names in the place of ids."""

    def __init__(self, versions: Mapping[int, Version], publishers: Registry) -> None:
        self._versions = versions
        self._publishers = publishers

    def address(self, article: int | None) -> str | None:
        return None if article is None else self._versions[article].url

    def publisher(self, number: int | None) -> str | None:
        return None if number is None else self._publishers[number].name

    def edge(self, edge: Edge) -> dict[str, Any]:
        """An edge as look-ups give it."""
        evidence = [{"kind": _kind(e.kind), "text": e.text, "start": e.start, "end": e.end, "weight": e.weight} for e in edge.evidence]
        return {
            "source": self.address(edge.source), "source_publisher": self.publisher(edge.source_publisher), "kind": edge.kind,
            "confidence": edge.confidence, "credited": edge.credited, "credited_to": self.publisher(edge.credited_to),
            "evidence": evidence,
        }  # fmt: skip

    def ruled_out(self, source: int | None, publisher: int | None, says: VerdictKind) -> RuledOutRecord:
        """A source that a person ruled out."""
        return RuledOutRecord(source=self.address(source), publisher=self.publisher(publisher), observed=source is not None, says=says)

    def record(self, told: Explanation) -> ExplanationRecord:
        """An explanation as a record."""
        scores = [a.considered.score for n, a in enumerate(told.answers) if n != told.chosen]
        kept = told.answers[:MOST_ANSWERS]
        if told.chosen >= MOST_ANSWERS:
            kept = (*kept[:-1], told.answers[told.chosen])
        return ExplanationRecord(
            article=self.address(told.article),
            publisher=self._publishers[self._versions[told.article].publisher_id].name,
            decision="undecided" if told.undecided else "edge" if told.drawn else "none",
            chosen=min(told.chosen, MOST_ANSWERS - 1),
            log_odds=round(told.answers[told.chosen].considered.score - scores[0], 3) if scores else None,
            answers=[self._answer(a) for a in kept],
            more_answers=len(told.answers) - len(kept),
            ruled_out=[],
            more_ruled_out=0,
            only_in_chosen=_quoted(told.passages[0]),
            only_in_other=_quoted(told.passages[1]),
            what_if=[self._what_if(w, told.article) for w in told.what_ifs],
            traced_again=told.among,
            agrees=True,
        )

    def _answer(self, answer: Answer) -> AnswerRecord:
        considered = answer.considered
        evidence = []
        for exhibit in answer.exhibits:
            e, there = exhibit.evidence, exhibit.source
            row = {"kind": _kind(e.kind), "weight": e.weight, "text": e.text, "start": e.start, "end": e.end}
            where = (there.text, there.start, there.end) if there else (None, None, None)
            evidence.append(row | dict(zip(("source_text", "source_start", "source_end"), where, strict=True)))
        return AnswerRecord(
            source=self.address(considered.source),
            publisher=self.publisher(considered.source_publisher),
            observed=considered.source is not None,
            score=considered.score,
            probability=considered.probability,
            evidence=evidence,
        )

    def _what_if(self, found: WhatIf, copy: int) -> WhatIfRecord:
        named = found.source is not None or found.publisher is not None
        return WhatIfRecord(
            change=found.change,
            article=self.address(copy if found.article is None else found.article),
            article_publisher=self._publishers[self._versions[copy if found.article is None else found.article].publisher_id].name,
            decision="undecided" if found.undecided else "edge" if named else "none",
            source=self.address(found.source),
            publisher=self.publisher(found.publisher),
            before=found.before,
            after=found.after,
            changes=found.changes,
        )


def _kind(kind: str) -> str:
    """The kinds of evidence that reports know: what two versions share against the others is overlap."""
    return "overlap" if kind == "innovation" else kind


def _quoted(quotation: Quotation | None) -> dict[str, Any] | None:
    return None if quotation is None else {"text": quotation.text, "start": quotation.start, "end": quotation.end}


def addressless(records: Sequence[ExplanationRecord], here: str | None) -> list[ExplanationRecord]:
    """Explanations that a text takes part in which is not stored: it has neither address nor publisher."""
    nameless: dict[str, Any] = {"publisher": "(this text)"}
    found = []
    for record in records:
        answers = [AnswerRecord(**(a | nameless | {"source": None})) if a["source"] == here else a for a in record["answers"]]  # type: ignore[typeddict-item] # the same keys
        tried = [WhatIfRecord(**(w | nameless | {"source": None})) if w["source"] == here is not None else w for w in record["what_if"]]  # type: ignore[typeddict-item] # the same keys
        tried = [WhatIfRecord(**(w | {"article": None, "article_publisher": "(this text)"})) if w["article"] == here else w for w in tried]
        own = nameless | {"article": None} if record["article"] == here else {}
        gone = [RuledOutRecord(**(g | nameless | {"source": None})) if g["source"] == here is not None else g for g in record["ruled_out"]]  # type: ignore[typeddict-item] # the same keys
        found.append(ExplanationRecord(**(record | own | {"answers": answers, "ruled_out": gone, "what_if": tried})))  # type: ignore[typeddict-item] # the same keys
    return found


# -- for people


def explanation_trees(records: Sequence[ExplanationRecord]) -> Iterator[Tree]:
    """Each explanation as a tree."""
    for record in records:
        verdict = {"edge": "Why this source", "undecided": "Why undecided", "none": "Why no source"}[record["decision"]]
        tree = Tree(Text(plain(f"{verdict}: {record['publisher']}"), style="bold") + Text(f"  {plain(record['article'] or '(this text)')}"))
        shown = [n for n, _ in enumerate(record["answers"]) if n < ANSWERS_SHOWN or n == record["chosen"]]
        for place in shown:
            _add_answer(tree, record, place)
        if rest := len(record["answers"]) - len(shown) + record["more_answers"]:
            most = max(a["probability"] for n, a in enumerate(record["answers"]) if n not in shown)
            tree.add(Text(f"{counted(rest, 'more answer')}, none likelier than {most:.3f}", style="dim"))
        for gone in record["ruled_out"][:ANSWERS_SHOWN]:
            told = f"{gone['publisher']}  {gone['source'] or '(not observed)'}"
            tree.add(Text(plain(f"✗ {told}"), style="dim") + Text(f"  {RULED_OUT[gone['says']]}", style="yellow"))
        if (rest := len(record["ruled_out"][ANSWERS_SHOWN:]) + record["more_ruled_out"]) > 0:
            tree.add(Text(f"✗ {rest:,} more ruled out by a person's word", style="dim"))
        _add_passages(tree, record)
        _add_what_ifs(tree, record)
        if not record["agrees"]:
            tree.add(
                Text("The stored edges differ: the story has changed and is to be traced again (`syndtrack poll` does).", style="yellow")
            )
        yield tree


def _add_answer(tree: Tree, record: ExplanationRecord, place: int) -> None:
    """One answer with its evidence."""
    answer, taken = record["answers"][place], place == record["chosen"] and record["decision"] != "undecided"
    told = plain(answer_name(answer))
    branch = tree.add(
        Text(f"{'→' if taken else '·'} ", style="bold") + Text(told, style="bold" if taken else "")
        + Text(f"  {answer['probability']:.3f}, score {answer['score']:+.1f}", style="dim")
    )  # fmt: skip
    for e in answer["evidence"]:
        line = branch.add(Text(f"{e['kind']} ({e['weight']:+.1f}): ", style="dim") + Text(one_line(e["text"])))
        if e["source_text"] is not None:
            there = " ".join(e["source_text"].split())
            same = there in " ".join(e["text"].split()) and len(there) + 2 >= len(e["text"].strip())  # but for a full stop
            line.add(Text("there: ", style="dim") + Text("the same words" if same else one_line(e["source_text"])))


def answer_name(answer: AnswerRecord) -> str:
    """An answer in words."""
    if answer["publisher"] is None:
        return "no source: an original"
    return f"{answer['publisher']}  {answer['source'] or '(not observed)'}"


def _add_passages(tree: Tree, record: ExplanationRecord) -> None:
    """What tells the two best candidates apart."""
    if record["log_odds"] is not None and record["decision"] != "undecided":
        odds = f"{exp(min(record['log_odds'], 20)):,.0f}" if record["log_odds"] > 0 else "less than 1"
        weights = [e for e in record["answers"][record["chosen"]]["evidence"] if e["weight"] > 0]
        most = max(weights, key=lambda e: e["weight"], default=None)
        why = f"; most of it by {most['kind']}: {one_line(most['text'])}" if most else ""
        tree.add(Text(f"Against the runner-up {odds} to 1 by its own evidence{why}"))
    for name, whose in (
        ("only_in_chosen", "the chosen one and not the runner-up"),
        ("only_in_other", "the runner-up and not the chosen one"),
    ):
        if (passage := record[name]) is not None:  # type: ignore[literal-required] # two keys of the class
            tree.add(Text(f"Shared with {whose}: ", style="dim") + Text(one_line(passage["text"])))


def _add_what_ifs(tree: Tree, record: ExplanationRecord) -> None:
    """What would change the answer; where nothing would, what would shake it most."""
    if not record["what_if"]:
        return
    branch = tree.add(Text("What would change it", style="bold"))
    telling = [w for w in record["what_if"] if w["changes"]]
    for found in telling[:CHANGES_SHOWN]:
        branch.add(Text(plain(what_if_line(found))))
    if rest := telling[CHANGES_SHOWN:]:
        branch.add(Text(f"{counted(len(rest), 'more thing')} that would: --format json has them", style="dim"))
    if not telling:
        worst = min(record["what_if"], key=lambda w: w["after"])
        shaken = f"; {what_if_line(worst)}" if worst["after"] < worst["before"] - 0.005 else ""
        branch.add(Text(plain(f"none of {len(record['what_if'])} things tried, one at a time{shaken}")))


def what_if_line(found: WhatIfRecord) -> str:
    """One change and its effect in words."""
    which = f"{found['article_publisher']}, "
    if not found["changes"]:
        return f"{which}{found['change']}: the same answer, {found['before']:.2f} → {found['after']:.2f}"
    source = f"from {found['publisher']} {found['source'] or '(not observed)'}"
    then = {"undecided": "undecided", "none": "no source"}.get(found["decision"], source)
    return f"{which}{found['change']}: {then} (today's answer {found['before']:.2f} → {found['after']:.2f})"
