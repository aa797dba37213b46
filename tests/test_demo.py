"""The main job on the sample newsroom, as the first command of the README shows it."""

import signal
import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-c", "from syndtrack.cli import main; main()")


def test_the_newsrooms_chain_is_shown_then_served_until_told_to_stop(tmp_path: Path):
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, "sample", "show", "--port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    with process:
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            if line.startswith("The same on pages: http://127.0.0.1:"):
                process.send_signal(signal.SIGTERM)
        printed = process.stdout.read() if process.stdout else ""
    assert process.returncode == 0, told
    assert "The chain is right.\n" in told
    assert "READ ALSO" in printed
    chain = printed[printed.index("$ syndtrack trace") :]
    assert chain.index("The Fenlight") < chain.index("from Glumledger") < chain.index("from Corvane Wire")
    assert list(tmp_path.iterdir()) == []  # without --db nothing stays
