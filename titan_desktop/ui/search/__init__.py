"""Searching files and conversations as one types, and going to what was found."""
