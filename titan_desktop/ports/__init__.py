"""What services need from the world, as Protocols: one module a port, no technology.

Adapters implement them, `core` puts the two together, and `tests/contract/` runs one suite against every adapter.
"""
