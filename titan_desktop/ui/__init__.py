"""The window: pixels and models, nothing that stores or computes."""
