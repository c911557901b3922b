"""The list of conversations on the left."""
