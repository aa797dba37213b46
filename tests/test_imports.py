"""What look-ups load: the parts that they do not use take long to import."""

import subprocess
import sys
from pathlib import Path

import pytest
from test_flow import BLOG

LOADED = """
import sys
from syndtrack.cli import main
try:
    main(sys.argv[1:])
except SystemExit as done:
    assert not done.code
print(*sys.modules, file=sys.stderr)
"""
# numpy is loaded by sqlite-utils.
HEAVY = {"numba", "aiohttp", "trafilatura", "feedparser", "datasketch", "syndtrack.flow", "syndtrack.provenance.tracing"}


@pytest.mark.parametrize(
    "command", [["trace", BLOG["url"]], ["report", "edges"], ["search", "basin"], ["feeds"]], ids=lambda words: words[0]
)
def test_a_look_up_loads_nothing_that_it_does_not_need(filled_db: Path, command: list[str]):
    words = [sys.executable, "-c", LOADED, "--db", str(filled_db), *command]
    done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - our own command line
    assert HEAVY & set(done.stderr.splitlines()[-1].split()) == set()
