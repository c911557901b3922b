"""Counters, Prometheus metrics, trace ids and OpenTelemetry spans."""
