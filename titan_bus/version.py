"""The version of titan-bus, in this one place; the distribution reads it from here."""

__version__ = "0.1.0"
