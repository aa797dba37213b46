"""The console entry."""

import subprocess
import sys
from pathlib import Path

import pytest
from test_flow import BLOG

from syndtrack import __version__
from syndtrack.__main__ import main
from syndtrack.cli import main as commands


class Interrupting:
    """Somebody presses Ctrl-C while the command line is being loaded."""

    @staticmethod
    def find_spec(name, path=None, target=None) -> None:
        if name == "syndtrack.cli":
            raise KeyboardInterrupt


def test_an_interruption_while_loading_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delitem(sys.modules, "syndtrack.cli", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting, *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "syndtrack: interrupted\n"


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "syndtrack", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"syndtrack, version {__version__}\n"


HEAVY = {"aiohttp", "feedparser", "lxml", "numpy", "prov", "rich", "sqlite_utils", "tldextract", "trafilatura"}
OF_THE_NETWORK = {"aiohttp", "feedparser", "pebble", "trafilatura"}


def loaded_by(*arguments: str) -> set[str]:
    """The packages that a command has loaded when it ends."""
    script = "import sys; from syndtrack.__main__ import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own command line
    return {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], *([name, "--help"] for name in sorted(commands.commands)), ["publishers", "show", "--help"]],
    ids=" ".join,
)
def test_help_loads_nothing_but_the_command_line(arguments: list[str]):
    assert loaded_by(*arguments) & HEAVY == set()


@pytest.mark.parametrize(
    "arguments",
    [
        *(["feeds"], ["report", "duplicates"], ["search", "basin"], ["trace", BLOG["url"]], ["history"], ["verdicts"], ["quarantine"]),
        *(["publishers", "list"], ["publishers", "show", "AFP"], ["publishers", "owners"], ["export-feeds"]),
    ],
    ids=[f"look-up {n}" for n in range(11)],
)
def test_looking_something_up_loads_no_network_and_no_extraction(filled_db: Path, arguments: list[str]):
    assert loaded_by("--db", str(filled_db), *arguments) & OF_THE_NETWORK == set()
