"""What a bus tells of itself: counters, Prometheus metrics, trace ids and OpenTelemetry spans."""
