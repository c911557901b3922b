"""Bytes of a text file to characters, without being told the encoding.

A byte order mark decides, then valid UTF-8 does. What is left is of an older age: Russian is told by its letters'
frequencies, for general detectors take KOI8-R and short lines of cp1251 for Japanese or Chinese; the rest goes to
charset-normalizer.
"""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_RUSSIAN = ("cp1251", "koi8-r", "cp866")
_OTHERS = [
    *("cp1252", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"),
]
"""Left to itself charset-normalizer takes German for a Mac's Icelandic."""
_SAMPLE_BYTES = 65_536
_LAST_RESORT = "cp1252"

_SHARES = dict(
    zip(
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        (
            10.9, 8.5, 8.0, 7.4, 6.7, 6.3, 5.5, 4.7, 4.5, 4.4, 3.5, 3.2, 3.0, 2.8, 2.6, 2.0, 1.9, 1.7, 1.7, 1.6,
            1.6, 1.4, 1.2, 1.0, 0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.3, 0.04, 0.04,
        ),
        strict=True,
    )
)  # fmt: skip
"""Per cent of Russian text (National Corpus of the Russian Language)."""
_MEAN_SHARE_MIN = 3.6
"""Russian has 5.6 on the average, letters drawn by lot 3.0; a wrong decoding of Russian lies between."""
_WORD = re.compile(r"[^\W\d_]+")
_WELL_FORMED = re.compile(r"[а-яё]+|[А-ЯЁ][а-яё]*|[А-ЯЁ]+")


def encoding_of(sample: bytes) -> str:
    """Return the encoding of a text by its beginning, which may end in the middle of a character."""
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return _legacy_encoding(sample[:_SAMPLE_BYTES])
    return "utf-8"


def decode(data: bytes) -> str:
    """Return the text; what cannot be decoded becomes U+FFFD. `data` may end in the middle of a character."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError as error:
        begin = max(0, error.start - _SAMPLE_BYTES // 2)
        return data.decode(_legacy_encoding(data[begin : begin + _SAMPLE_BYTES]), "replace")


def _legacy_encoding(sample: bytes) -> str:
    """Return the encoding of a text, by a sample that is not all ASCII."""
    best = max(_RUSSIAN, key=lambda encoding: _russian_score(sample, encoding))
    if _russian_score(sample, best) >= _MEAN_SHARE_MIN:
        return best
    from charset_normalizer import from_bytes

    found = from_bytes(sample, cp_isolation=_OTHERS).best()
    return found.encoding if found is not None else _LAST_RESORT


def _russian_score(sample: bytes, encoding: str) -> float:
    """Return the mean share of the letters that the high bytes become; what makes no word counts nothing."""
    text = sample.decode(encoding, "replace")
    high = sum(not character.isascii() for character in text)
    good = [word.lower() for word in _WORD.findall(text) if _WELL_FORMED.fullmatch(word)]
    return sum(_SHARES[letter] for word in good for letter in word) / high
