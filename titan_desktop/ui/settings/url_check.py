"""Whether a typed address can be an endpoint."""

from urllib.parse import urlsplit


def is_endpoint(address: str) -> bool:
    """Say whether this is http or https with a host, and nothing that does not belong there."""
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        return False
    usual = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in address.strip()
    return usual and port != 0 and not parts.username and not parts.fragment
