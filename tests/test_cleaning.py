"""Cleaning: what is cut from a text before it is matched, and what stays."""

from __future__ import annotations

import pytest

from syndtrack.reading.cleaning import clean
from syndtrack.reading.removal_rules import fold, raw_rules, rule_of

RULES = [(kind, table) for kind, table in raw_rules() if kind != "prose"]
NAMES = [f"{table['rule']}-{table['language']}-{kind}-{n}" for n, (kind, table) in enumerate(RULES)]


@pytest.mark.parametrize(("kind", "table"), RULES, ids=NAMES)
def test_every_rule_takes_its_example_under_its_name(kind, table):
    found = rule_of(fold(table["example"]))
    assert found is not None
    assert found.name == table["rule"]


@pytest.mark.parametrize(("kind", "table"), RULES, ids=NAMES)
def test_every_rule_leaves_its_near_miss(kind, table):
    assert rule_of(fold(table["near_miss"])) is None
    assert clean(table["near_miss"], ()) == ()
