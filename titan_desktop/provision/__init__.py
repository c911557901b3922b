"""Provides the servers: embedded, in Docker, or external. Returns endpoints and knows no clients."""
