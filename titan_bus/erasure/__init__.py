"""Erases events for good: from streams, retries, dead letters, the archive and the server's files."""
