"""What the bus's keys are called on the server. One place, so that a cluster's hash tags can come in here."""

DEAD_LETTERS = "errors.dlq"


def stream_of(topic: str) -> str:
    """Return the stream of a topic."""
    return f"topics:{topic}"


def retries_of(group: str, topic: str) -> str:
    """Return the stream that brings an event again to the one group that failed on it."""
    return f"retry:{group}:{topic}"


def delayed_of(group: str, topic: str) -> str:
    """Return the sorted set in which failed events wait for their time."""
    return f"delayed:{group}:{topic}"


def replies_of(client_id: str) -> str:
    """Return the stream on which one bus receives the answers to its requests."""
    return f"replies:{client_id}"
