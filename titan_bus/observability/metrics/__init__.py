"""Prometheus metrics: the bus's counters, and the server's figures of streams and groups."""
