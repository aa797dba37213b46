"""The same feeds through lemon24/reader's updater: `python with_reader.py FEEDS PORT VERSION`.

Takes everything in once, then lets all be updated while the sites serve VERSION (0: all unchanged, 1: one in ten changed), with as many
workers as we ask feeds at a time. Prints polls a second and CPU seconds per 1,000 polls.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from reader import make_reader
from server import feed_url, host

WORKERS = 32


def main() -> None:
    """Subscribe, take everything in, then measure."""
    feeds, port, version = map(int, sys.argv[1:4])

    def control(version: int) -> None:
        urlopen(f"http://{host(0)}:{port}/control?version={version}&poison=0").read()

    with tempfile.TemporaryDirectory() as folder:
        control(0)
        reader = make_reader(str(Path(folder) / "reader.db"))
        for number in range(feeds):
            reader.add_feed(feed_url(number, port))
        reader.update_feeds(scheduled=False, workers=WORKERS)
        control(version)
        started, computed = time.perf_counter(), time.process_time()
        reader.update_feeds(scheduled=False, workers=WORKERS)
        spent, computed = time.perf_counter() - started, time.process_time() - computed
        print(f"{feeds / spent:.1f} {computed / feeds * 1_000:.2f}", flush=True)


if __name__ == "__main__":
    main()
