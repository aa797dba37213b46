"""Matches, credits and times to edges, chains and stories. Pure: data in, data out."""
