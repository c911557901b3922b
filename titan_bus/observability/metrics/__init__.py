"""What Prometheus is told: the bus's own counters, and what the server knows of streams and groups."""
