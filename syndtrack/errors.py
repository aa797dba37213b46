"""Every error syndtrack raises on purpose, as one tree.

    SyndtrackError                 anything a caller may want to catch
    ├── UsageError                 the call itself is wrong: an unknown report, a setting that does not exist
    ├── RefusedError               one input cannot be used; it is recorded and the rest goes on
    │   ├── FetchError             no usable answer from a server
    │   ├── FeedError              bytes that are no feed
    │   ├── PoisonError            an input that killed, stalled or overfilled the worker that read it
    │   │   └── PutOffError        one that was not tried yet, because others before it take long
    │   └── ArticleError           a page or record without what an article needs
    ├── StoreError                 the database is not ours, too new, locked or damaged
    │   └── GivenUpError           another process writes, and who waits for it was told to stop
    └── MismatchError              fingerprints of different parameters were to be compared

Messages name the thing, the reason and, where there is one, the next step. A bug is none of these and propagates.
"""


class SyndtrackError(Exception):
    """Anything syndtrack raises on purpose."""


class UsageError(SyndtrackError):
    """The call is wrong, whatever the data."""


class RefusedError(SyndtrackError):
    """One input that cannot be used. `what` names it (URL, FILE:LINE), `reason` says why in one line."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")
        self.what = what
        self.reason = reason

    def __reduce__(self) -> tuple[type["RefusedError"], tuple[str, str]]:
        """Keep both parts when the error crosses from a worker process."""
        return type(self), (self.what, self.reason)


class FetchError(RefusedError):
    """No usable answer from a server."""


class FeedError(RefusedError):
    """Bytes that are no feed."""


class PoisonError(RefusedError):
    """An input that killed, stalled or overfilled the worker that read it. `again`: it is to be tried once more, at another look."""

    def __init__(self, what: str, reason: str, *, again: bool) -> None:
        super().__init__(what, reason)
        self.again = again


class PutOffError(PoisonError):
    """An input that was not tried, since too many that take long were waiting already; it is to be tried at another look."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "other inputs that take long are being read; tried at the next look", again=True)


class ArticleError(RefusedError):
    """A page or record that lacks what an article needs."""


class StoreError(SyndtrackError):
    """The database cannot be used."""


class GivenUpError(StoreError):
    """Another process writes to the database, and whoever waits for it was told to stop."""


class MismatchError(SyndtrackError):
    """Fingerprints made with different parameters were to be compared."""
