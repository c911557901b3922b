"""The addresses of the three stores, which the core passes to the adapters."""

from dataclasses import dataclass, field
from pathlib import Path

from titan_desktop.settings import Place


@dataclass(frozen=True, slots=True)
class GraphEndpoint:
    """The graph: a folder for the in-process one, or a Bolt URL with its credentials. One of the two is set."""

    place: Place
    folder: Path | None = None
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """All three. The URLs may contain passwords, so they stay out of `repr` and out of every log."""

    redis_url: str = field(repr=False)
    postgres_dsn: str = field(repr=False)
    graph: GraphEndpoint
