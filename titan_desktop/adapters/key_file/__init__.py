"""Keys in a file under a password, for systems without a keyring."""
