"""Text to fingerprint to candidates to matches: pure functions and one index in memory."""
