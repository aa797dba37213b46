"""What each piece of evidence weighs, in log-odds, in the two passes of tracing: numbers and reasons are in `weights.toml`.

They are fitted by `scripts/fit-tracing` on simulated stories, by the likelihood of the true sources among all cycle-free choices.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("weights.toml")


def _read(which: str) -> Mapping[str, float]:
    return {name: float(entry[which]) for name, entry in tomllib.loads(FILE.read_text(encoding="utf-8")).items()}


FIRST = _read("first")
SECOND = _read("second")


def score(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The log-weight of an answer. A feature without a weight weighs nothing."""
    return sum(weights.get(name, 0.0) * value for name, value in features.items())


def rewritten(first: Mapping[str, float], second: Mapping[str, float]) -> str:
    """The text of `weights.toml` with other numbers; every feature keeps its reason, one that is new waits for one."""
    text = FILE.read_text(encoding="utf-8")
    says = {name: entry["says"] for name, entry in tomllib.loads(text).items()}
    says |= {name: "" for name in (*first, *second) if name not in says}
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    rows = [
        f'"{n}" = {{ first = {first.get(n, 0.0):.2f}, second = {second.get(n, 0.0):.2f}, says = "{why}" }}\n' for n, why in says.items()
    ]
    return head + "".join(rows)
