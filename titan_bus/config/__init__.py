"""The configuration of a bus: the schema, and the reader of its YAML file."""

from titan_bus.config.schema import (
    ArchiveConfig,
    BusConfig,
    ClaimConfig,
    MetricsConfig,
    ReadConfig,
    RetryConfig,
    StreamConfig,
)

__all__ = [
    "ArchiveConfig",
    "BusConfig",
    "ClaimConfig",
    "MetricsConfig",
    "ReadConfig",
    "RetryConfig",
    "StreamConfig",
]
