"""Connections to the server: from one socket to Sentinel and Redis Cluster. `server` is the entry point."""
