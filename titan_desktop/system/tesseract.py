"""Where Tesseract's models lie, if the person has installed it: with them text in pictures can be read."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_LANGUAGES = ("rus", "eng")
RUSSIAN = _LANGUAGES[0]
_INSTALLING = {
    "darwin": "brew install tesseract tesseract-lang",
    "win32": "winget install UB-Mannheim.TesseractOCR",
}
_FOLDERS = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
    "C:/Program Files/Tesseract-OCR/tessdata",
)
VARIABLE = "TESSDATA_PREFIX"
"""Names the folder to Tesseract (tesseract(1), ENVIRONMENT)."""


def folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder of the models, None where there is none of Russian or English."""
    named = environment.get(VARIABLE)
    for one in map(Path, (*([named] if named else ()), *_FOLDERS)):
        if languages(one):
            return one
    return None


def languages(models: Path) -> str:
    """Return the languages whose models lie in a folder, as Tesseract takes them: "rus+eng"."""
    return "+".join(one for one in _LANGUAGES if (models / f"{one}.traineddata").is_file())


def installing() -> str:
    """Return the command that installs it on this system; on Linux, of Debian and of Fedora."""
    other = "sudo apt install tesseract-ocr tesseract-ocr-rus / sudo dnf install tesseract-langpack-rus"
    return _INSTALLING.get(sys.platform, other)
