"""The console entry."""

import subprocess
import sys

import pytest

from syndtrack import __version__
from syndtrack.__main__ import main


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
