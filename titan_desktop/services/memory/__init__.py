"""The index over the files, and search."""
