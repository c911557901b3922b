"""Tasks that could not be done, to be tried again or removed."""
