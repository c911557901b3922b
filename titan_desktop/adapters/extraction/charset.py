"""Bytes of a text file to characters, without being told the encoding.

A byte order mark decides, then UTF-16 by its letters, then UTF-8, also with some bad bytes. What is left is of an
older age: Russian and Ukrainian are told by their letters' frequencies, for general detectors take KOI8-R and
short lines of cp1251 for Japanese or Chinese; the rest goes to charset-normalizer.
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
_RUSSIAN = ("cp1251", "koi8-r", "cp866", "koi8-u", "mac_cyrillic")
"""Ukrainian, too. The first of two that fit equally is taken."""
_NAMES = ("cp866", "cp1251", "koi8-r")
"""Of files, as programs of old Windows and its forerunner packed them."""
_OTHERS = [
    *("cp1252", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"),
]
"""Left to itself charset-normalizer takes German for a Mac's Icelandic."""
_SAMPLE_BYTES = 65_536
_USUAL = re.compile("[\t\r\n -~\u00a0-\u00ff\u0400-\u045f\u0490\u0491\u2010-\u2026\u2116]")
"""What nearly all of a European text is made of."""
_USUAL_SHARE = 0.95
_GOOD_FOR_A_BAD = 4
"""Characters of UTF-8 for each byte that is none."""
_LAST_RESORT = "cp1252"

_SHARES = dict(
    zip(
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґ",
        (
            10.9, 8.5, 8.0, 7.4, 6.7, 6.3, 5.5, 4.7, 4.5, 4.4, 3.5, 3.2, 3.0, 2.8, 2.6, 2.0, 1.9, 1.7, 1.7, 1.6,
            1.6, 1.4, 1.2, 1.0, 0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.3, 0.04, 0.04,
            5.7, 0.8, 0.6, 0.04,
        ),
        strict=True,
    )
)  # fmt: skip
"""Per cent of Russian text (National Corpus of the Russian Language); the last four, of Ukrainian."""
_MEAN_SHARE_MIN = 3.6
"""Russian has 5.6 on the average, letters drawn by lot 3.0; a wrong decoding of Russian lies between."""
_WORD = re.compile(r"[^\W\d_]+")
_WELL_FORMED = re.compile(r"[а-яёіїєґ]+|[А-ЯЁІЇЄҐ][а-яёіїєґ]*|[А-ЯЁІЇЄҐ]+")


def decode(data: bytes) -> str:
    """Return the text; what cannot be decoded becomes U+FFFD. `data` may end in the middle of a character."""
    return codecs.getincrementaldecoder(encoding_of(data))("replace").decode(data)


def encoding_of(data: bytes) -> str:
    """Return the encoding of a text, or of its beginning, which may end in the middle of a character."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    if encoding := unmarked_utf16(data[:_SAMPLE_BYTES]):
        return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError as error:
        begin = max(0, error.start - _SAMPLE_BYTES // 2)
        sample = data[begin : begin + _SAMPLE_BYTES]
        return "utf-8" if _is_mostly_utf8(sample) else _legacy_encoding(sample)
    return "utf-8"


def encoding_of_names(names: bytes) -> str:
    """Return the encoding of file names, one a line: too few letters for frequencies, so only words count."""
    try:
        names.decode("utf-8")
    except UnicodeDecodeError:
        best = max(_NAMES, key=lambda encoding: _russian_score(names, encoding))
        return best if _russian_score(names, best) >= _MEAN_SHARE_MIN else "cp437"
    return "utf-8"


def unmarked_utf16(sample: bytes) -> str:
    """Return the encoding of a text in UTF-16 without a byte order mark, "" for anything else.

    Such a text has NULs, in its blanks and line ends at the least, and read the right way around it is words.
    """
    sample = sample[: len(sample) // 2 * 2]
    if b"\0" not in sample:
        return ""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
        likely = len(_USUAL.findall(text))
        if text and likely / len(text) > _USUAL_SHARE and "\0" not in text:
            return encoding
    return ""


def _is_mostly_utf8(sample: bytes) -> bool:
    """Say whether what is not ASCII is nearly all UTF-8: no other encoding makes such sequences by chance."""
    text = sample.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    return sum(not character.isascii() for character in text) - bad >= _GOOD_FOR_A_BAD * bad


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
