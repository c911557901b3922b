"""Benchmarks: each prints a table; none runs in CI. `python -m tests.benchmarks.NAME`."""
