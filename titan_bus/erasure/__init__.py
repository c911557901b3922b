"""Erases events for good: from the streams, the retries, the dead letters, the archive, the server's files."""
