"""The same feeds through lemon24/reader's updater: `python with_reader.py FEEDS PORT`. Prints two rates: all unchanged, one in ten not."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from reader import make_reader
from server import feed_url, host


def main() -> None:
    """Subscribe, take everything in once, then measure."""
    feeds, port = int(sys.argv[1]), int(sys.argv[2])

    def control(version: int) -> None:
        urlopen(f"http://{host(0)}:{port}/control?version={version}&poison=0").read()

    with tempfile.TemporaryDirectory() as folder:
        control(0)
        reader = make_reader(str(Path(folder) / "reader.db"))
        for number in range(feeds):
            reader.add_feed(feed_url(number, port))
        reader.update_feeds(scheduled=False, workers=32)
        for version in (0, 1):
            control(version)
            started = time.perf_counter()
            reader.update_feeds(scheduled=False, workers=32)
            print(f"{feeds / (time.perf_counter() - started):.1f}", flush=True)


if __name__ == "__main__":
    main()
