"""What the fork server imports before it makes workers: one feed and one page are read, so that every worker starts with all of it loaded.

Rules are compiled when they are first used, which takes 4 s of CPU; without this each worker would do so anew, and the one that takes the
place of a killed one as well. Nobody else imports this.
"""

import gc
from datetime import UTC, datetime

from syndtrack.flow import read_article
from syndtrack.models import Submission
from syndtrack.polling.fetch import Answer
from syndtrack.polling.seen import read_feed

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
SENTENCES = " ".join(f"Line {n} of a page that nobody wrote says what lines of pages say, and says so at some length." for n in range(20))
PAGE = f"""<html><head><title>A page</title></head><body><article><h1>A page</h1><p>By Nobody, 1 January 2000</p>
<p>{SENTENCES}</p><p>Source: nobody.example</p></article></body></html>"""
FEED = f"""<?xml version="1.0"?><rss version="2.0"><channel><title>A feed</title><item><title>An entry</title>
<link>http://nobody.example/1</link><pubDate>Sat, 01 Jan 2000 00:00:00 GMT</pubDate><description>{SENTENCES}</description></item>
</channel></rss>"""

read_feed(Answer(200, "http://nobody.example/feed", FEED.encode(), content_type="text/xml"), {}, 0, NEVER)
read_article(Submission("http://nobody.example/1", NEVER, html=PAGE))
gc.collect()
gc.freeze()  # what is shared with the workers stays shared: a collection would write to every page of it
