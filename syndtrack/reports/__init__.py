"""What comes out: records of chains and articles, and the forms they are printed in."""

REPORTS = ("duplicates", "matches", "edges", "publishers", "stories", "feeds")
