"""A look into every file, for the tests of what has to be gone from them."""

import base64
import io
from pathlib import Path

import zstandard


def holding(secret: str, *folders: Path) -> list[str]:
    """Return the files below these folders that have the secret in them, compressed or not, in base64 or not."""
    found, forms = [], [secret.encode(), *(_in_base64(secret, shift) for shift in range(3))]
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.suffix == ".zst":
            reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
            data += reader.read()
        if any(form in data for form in forms):
            found.append(path.name)
    return found


def _in_base64(secret: str, shift: int) -> bytes:
    """Return what base64 makes of the secret when so many bytes of a group of three stand before it."""
    encoded = base64.b64encode(b"\0" * shift + secret.encode())
    return encoded[(0, 2, 3)[shift] : len(encoded) // 4 * 4 - 4]
