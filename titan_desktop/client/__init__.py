"""A client's connection to the core: find it or start it, send heartbeats, notice its death.

Used by `ui` and `commands`. The bus library is imported only when needed, because the window paints before it.
"""
