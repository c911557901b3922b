"""Where the servers come from: embedded, Docker, or somebody else's. Yields endpoints, knows no clients."""
