"""Handlers declared before there is a bus: how they are declared, bound to their types, upcast and documented."""
