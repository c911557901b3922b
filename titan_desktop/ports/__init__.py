"""The interfaces that services need, as Protocols: one module for each port, no technology.

Adapters implement them, `core` connects the two, and `tests/contract/` runs one suite against every adapter.
"""
