"""syndtrack: who copied whom, hop by hop, with evidence.

    feeds due -> fetch -> parse entries -> fetch page -> extract text      polling/  reading/
      -> find credits -> clean -> fingerprint                              reading/  matching/
      -> candidates -> compare -> match                                    matching/
      -> trace: match + credits + time -> edges -> chain, story            provenance/
      -> one transaction                                                   store/
    look-ups: store -> reports/ -> cli | web

`tracker` wires the parts together, `flow` is the way from a reading to its edges, `scheduler` the rounds of polls. The public names:
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syndtrack.config import Settings, load_settings
    from syndtrack.errors import SyndtrackError
    from syndtrack.matching.signature import Signature, signature
    from syndtrack.tracker import Tracker, open_tracker

__version__ = "0.1.0"
__all__ = ["Settings", "Signature", "SyndtrackError", "Tracker", "load_settings", "open_tracker", "signature"]

_HOMES = {
    "Settings": "config",
    "load_settings": "config",
    "SyndtrackError": "errors",
    "Signature": "matching.signature",
    "signature": "matching.signature",
    "Tracker": "tracker",
    "open_tracker": "tracker",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is asked for (PEP 562): worker processes import parts of the package, not all of it."""
    if name in _HOMES:
        return getattr(import_module(f"syndtrack.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'syndtrack' has no attribute {name!r}")
