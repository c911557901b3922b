"""The short-term cache in Redis."""
