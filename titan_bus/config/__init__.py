"""What a bus is told: the schema, and the YAML file that it may stand in."""

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
