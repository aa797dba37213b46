"""The sample newsroom: invented publishers on loopback addresses whose articles travel from one to the other over HTTP.

    stories   the folder's texts and who copied whom -> Sample (pure)
    pages     a publisher's articles -> pages, feeds, OPML as bytes (pure)
    server    the publishers, each on an address of its own, revealing their articles as newsroom time passes

A feed reader meets them as it meets any other site: nothing outside this package knows them. The folder also records who copied whom
(`Sample.edges`); that is for tests and for judging a run, and is never served.

Newsroom time counts in minutes from the moment the newsroom opens. A round is 60 of them; stepping round by round makes a run repeatable.
"""

from syndtrack.sample.server import Newsroom, SampleFeed, open_newsroom, opml_of, serve
from syndtrack.sample.stories import ROUND, Sample, SampleArticle, SamplePublisher, TrueEdge, load_sample

__all__ = [
    "ROUND",
    "Newsroom",
    "Sample",
    "SampleArticle",
    "SampleFeed",
    "SamplePublisher",
    "TrueEdge",
    "load_sample",
    "open_newsroom",
    "opml_of",
    "serve",
]
