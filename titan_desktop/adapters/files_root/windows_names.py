"""Names that Windows takes for something else than a file."""

_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"}
)
"""Names that mean a device in every folder, with any ending (Microsoft, "Naming Files, Paths, and Namespaces")."""


def is_device_or_stream(name: str) -> bool:
    """Say whether Windows takes this name of a file for something else: `NUL.txt`, `lease.txt:stream`, `lease. `.

    Asked before anything is opened: a serial port may stand still, and the system cuts dots and spaces at the end.
    """
    return ":" in name or name[-1:] in {".", " "} or name.partition(".")[0].rstrip().lower() in _DEVICES
