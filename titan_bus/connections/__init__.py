"""Ways to the server: from bytes on one socket to Sentinel and Redis Cluster. `server` is the door."""
