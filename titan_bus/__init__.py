"""titan_bus: an event bus on Redis Streams for any Python program."""

from titan_bus.config import BusConfig, StreamConfig

__all__ = ["BusConfig", "StreamConfig"]
