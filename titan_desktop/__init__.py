"""Titan: a desktop assistant with a memory of its own."""

__version__ = "0.1.0"
