"""The memory page: what Titan remembers of the person and their world, and what they decide about it."""
