"""Texts in the transfer encodings of mail (RFC 2045, 6.7 and 6.8), left without their headers."""

import base64
import binascii
import quopri
import re

_SOFT_END = re.compile(rb"=\r?\n")
_CODE = re.compile(rb"=[0-9A-F]{2}")
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]{60,76}={0,2}")
_CODES_MIN = 10


def decoded(data: bytes) -> bytes:
    """Return the content of a text that is encoded as a whole, b"" for another."""
    lines = data.split()
    if lines and all(map(_BASE64_LINE.fullmatch, lines[:-1])) and _BASE64_LINE.match(lines[0]):
        try:
            return base64.b64decode(b"".join(lines), validate=True)
        except binascii.Error:
            return b""
    if len(_CODE.findall(data)) >= _CODES_MIN and _SOFT_END.search(data):
        return quopri.decodestring(data)
    return b""
