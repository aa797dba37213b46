"""The console entry, also of `python -m syndtrack`: one line, no traceback, when interrupted while the parts are still being loaded."""

from __future__ import annotations

import sys


def main() -> None:
    """Load the command line, a second on a slow machine, and run it."""
    try:
        from syndtrack.cli import main as run  # noqa: PLC0415 - an interruption here is told below
    except KeyboardInterrupt:
        sys.stderr.write("syndtrack: interrupted\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
