"""Failed jobs, to be tried again or removed."""
