"""Which files a click on a source opens: kinds that their usual program shows, without running anything in them.

A list of what is allowed, because a list of what is dangerous is never complete. Not on it are programs and
scripts, links to elsewhere, pages and drawings with scripts (html, xml, svg), documents with macros by their name
(docm), archives and disk images, which some systems unpack or mount when they are opened. The person sees those
in their folder, selected, and decides there.
"""

from pathlib import PurePath

_KINDS = {
    "documents": "pdf djvu epub fb2 mobi azw3 xps oxps doc docx dot dotx rtf odt ott fodt pages wps abw "
    "xls xlsx xlt xltx ods ots fods numbers csv tsv ppt pptx pps ppsx pot potx odp otp fodp key "
    "odg odf vsd vsdx eml msg",
    "images": "png jpg jpeg jpe jfif gif bmp tif tiff webp heic heif avif jxl ico ppm pgm pbm psd xcf dng cr2 nef "
    "arw",
    "text": "txt text md markdown rst org adoc tex bib log json jsonl yaml yml toml ini cfg conf properties "
    "srt vtt po pot diff patch c h cc cpp hpp cs java kt rs go swift css scss sql",
    "sound and film": "mp3 wav flac ogg oga opus m4a aac wma aiff aif mid midi "
    "mp4 m4v mkv avi mov wmv flv webm mpg mpeg 3gp ogv",
}
_OPENED = frozenset(f".{suffix}" for suffixes in _KINDS.values() for suffix in suffixes.split())


def is_opened(path: PurePath) -> bool:
    """Say whether a click may hand this file to the system's program for it.

    The suffix is the whole of what follows the last dot: `a.txt.`, `a.pdf ` and `a.pdf:b` have none of these.
    """
    return path.suffix.isascii() and path.suffix.lower() in _OPENED
