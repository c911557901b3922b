"""The root of the errors, and what an error says as text that can be encoded. Imports nothing of this package."""


class BusError(Exception):
    """The root of all errors of this package."""


def speakable(text: str) -> str:
    """Return a text that can be encoded: what UTF-8 has no bytes for, as file names may bring, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def text_of(error: BaseException) -> str:
    """Return what an error says, also when its own code raises."""
    try:
        return speakable(str(error))
    except Exception as fault:  # noqa: BLE001 -- whatever a foreign `__str__` raises
        return f"it cannot say why: {type(fault).__name__}"
