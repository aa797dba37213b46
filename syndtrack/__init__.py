"""syndtrack: who copied whom, hop by hop, with evidence."""

__version__ = "0.1.0"
