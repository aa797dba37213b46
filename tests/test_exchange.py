"""Two houses compare what they publish by signatures, without exchanging texts."""

import gzip
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from test_flow import AGENCY, AGGREGATOR, BLOG, START, UNRELATED, archive

from syndtrack.cli import main
from syndtrack.config import Settings
from syndtrack.exchange import Signed, resembling, signatures_of, stored_signatures
from syndtrack.models import Refusal
from syndtrack.tracker import Tracker


def test_a_broken_gzip_file_of_signatures_is_wrong_usage(tmp_path, database):
    packed = bytearray(gzip.compress(bytes(n * n % 251 for n in range(4_000))))
    packed[30:60] = b"\xff" * 30
    (tmp_path / "theirs.jsonl.gz").write_bytes(packed)
    found = run("--db", database, "signature", "--compare", str(tmp_path / "theirs.jsonl.gz"))
    assert found.exit_code == 2
    assert "theirs.jsonl.gz" in found.stderr


@pytest.fixture
def database(tmp_path):
    path = str(tmp_path / "ours.db")
    assert run("--db", path, "ingest", archive(tmp_path, [AGENCY, UNRELATED])).exit_code == 0
    return path


def run(*arguments: str, given: str | None = None):
    return CliRunner().invoke(main, list(arguments), input=given)


def test_another_house_s_copy_is_found_by_its_signature_alone(tmp_path, database):
    theirs = run("signature", archive(tmp_path, [AGGREGATOR, BLOG], "theirs.jsonl"))
    assert theirs.exit_code == 0
    assert AGGREGATOR["text"][:30] not in theirs.output
    found = run("--db", database, "signature", "--compare", "-", "--format", "jsonl", given=theirs.stdout)
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert {(row["theirs"], row["ours"]) for row in rows} == {(AGGREGATOR["url"], AGENCY["url"]), (BLOG["url"], AGENCY["url"])}
    for row in rows:
        r = row["resemblance"]
        assert abs(r - 0.67) < 4 * row["standard_error"]
        assert row["standard_error"] == pytest.approx((r * (1 - r) / 128) ** 0.5, abs=1e-3)


def test_the_estimate_is_datasketch_s(tmp_path, database):
    (one,) = signatures_of(archive(tmp_path, [AGGREGATOR]), START)
    theirs = tmp_path / "theirs.jsonl.gz"
    theirs.write_bytes(gzip.compress(one.to_json().encode()))
    with Tracker.in_memory(Settings(db=tmp_path / "unused.db")) as tracker:
        tracker.ingest([archive(tmp_path, [AGENCY])])
        (stored,) = stored_signatures(tracker.store)
        (row,) = resembling(tracker.store, str(theirs), 0.2)
    assert row["resemblance"] == pytest.approx(one.signature.resemblance(stored.signature), abs=1e-4)


def test_a_stored_article_has_the_signature_that_its_text_has(tmp_path, database):
    stored = run("--db", database, "signature", "--stored").stdout.splitlines()
    made = run("signature", archive(tmp_path, [AGENCY, UNRELATED])).stdout.splitlines()
    assert [json.loads(line)["signature"] for line in stored] == [json.loads(line)["signature"] for line in made]


def test_of_a_file_that_cannot_be_read_no_half_array_is_printed(tmp_path):
    found = run("signature", str(tmp_path / "none.jsonl"), "--format", "json")
    assert (found.exit_code, found.stdout) == (2, "")


def test_lines_come_back_as_they_were(tmp_path):
    (one,) = signatures_of(archive(tmp_path, [BLOG]), START)
    again = Signed.from_json(one.to_json())
    assert again.to_json() == one.to_json()
    assert (again.url, again.publisher, again.title) == (BLOG["url"], "Mole End Blog", "Basin to close")


def test_a_text_without_an_address_is_signed_too():
    line = json.loads(run("signature", "-", given=AGENCY["text"]).stdout)
    assert line["url"] is None
    assert line["first_seen"] is None


def test_what_cannot_be_compared_is_refused_by_line_and_the_rest_goes_on(tmp_path, database):
    (one,) = signatures_of(archive(tmp_path, [AGGREGATOR]), START)
    made = one.signature
    other = replace(one, signature=replace(made, parameters=replace(made.parameters, cleaning=7)))
    short = replace(one, signature=replace(made, shingles=3))
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text("\n".join([other.to_json(), "no JSON", '{"url": 3}', short.to_json(), "", one.to_json()]))
    found = run("--db", database, "signature", "--compare", str(theirs), "--format", "jsonl")
    assert found.exit_code == 1
    assert [json.loads(line)["ours"] for line in found.stdout.splitlines()] == [AGENCY["url"]]
    reasons = {line.split(": ", 1)[0]: line for line in found.stderr.splitlines()}
    assert "same version of syndtrack" in reasons[f"{theirs}:1"]
    assert "signature FILE" in reasons[f"{theirs}:2"]
    assert f"{theirs}:3" in reasons
    assert "too little text" in reasons[f"{theirs}:4"]


def test_nothing_alike_is_said_so(tmp_path, database):
    theirs = run("signature", archive(tmp_path, [AGGREGATOR])).stdout
    assert "No stored article resembles" in run("--db", database, "signature", "--compare", "-", "--at-least", "0.99", given=theirs).stdout


@pytest.mark.parametrize("arguments", [[], ["a.jsonl", "--stored"], ["--stored", "--compare", "b.jsonl"]], ids=["none", "both", "two"])
def test_one_thing_at_a_time_is_asked_for(arguments, database):
    asked = run("--db", database, "signature", *arguments)
    assert asked.exit_code == 2
    assert "--help" in asked.stderr


def test_a_missing_file_is_wrong_usage(database):
    asked = run("--db", database, "signature", "--compare", "nowhere.jsonl")
    assert asked.exit_code == 2
    assert "nowhere.jsonl" in asked.stderr


def test_signatures_are_not_printed_as_a_table(tmp_path):
    asked = run("signature", archive(tmp_path, [AGENCY]), "--format", "csv")
    assert asked.exit_code == 2
    assert asked.stdout == ""
    assert "--compare" in asked.stderr


def test_refusals_of_an_archive_are_passed_on(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text("no JSON\n")
    (refused,) = signatures_of(str(path), START)
    assert isinstance(refused, Refusal)


def test_signatures_come_as_lines_or_as_one_array(tmp_path):
    file, none = archive(tmp_path, [AGENCY, BLOG]), archive(tmp_path, [], "none.jsonl")
    lines = run("signature", file).stdout.splitlines()
    assert [json.loads(line) for line in lines] == json.loads(run("signature", file, "--format", "json").stdout)
    assert len(lines) == 2
    assert json.loads(run("signature", none, "--format", "json").stdout) == []
