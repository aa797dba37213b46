"""The rim that talks to the world: when to ask, how to ask politely and safely, and workers that can be killed.

What stands where:

    Poller (poll.py)      one poll of a feed: ask, parse, hand in what is new; many feeds at once, fair to every host
    schedule.py           pure: when to come back, and the sentence that says why
    fetch.py              one answer: validators, redirects, deadlines, sizes; hosts.py: one request at a time to a host, with a pause
    guard.py, names.py    which addresses may be connected to; names looked up with a deadline
    workers.py            parsing in processes that are killed when they take too long
"""
