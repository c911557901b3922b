"""Secrets in the system's keyring."""
