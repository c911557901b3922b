"""A client's way to the core: find it, or start it; keep saying that we are there; notice when it dies.

Used by `ui` and `commands`. The bus library is imported only where it is needed: the window paints before it.
"""
