"""Claims about text in pictures, with an installed Tesseract and without one."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QGuiApplication, QImage, QPainter
from reportlab.pdfgen.canvas import Canvas

from titan_desktop.adapters.extraction.pool import PooledExtractor
from titan_desktop.adapters.files_root import LocalFilesRoot
from titan_desktop.contracts.indexing import Reason
from titan_desktop.contracts.sources import Pages
from titan_desktop.ports.extractor import OCR_MISSING, ExtractionError
from titan_desktop.system import tesseract


def picture(path: Path, text: str) -> Path:
    """A picture of a line of text."""
    image = QImage(1200, 160, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    font = QFont("DejaVu Sans")
    font.setPixelSize(48)
    painter.setFont(font)
    painter.drawText(40, 100, text)
    painter.end()
    assert image.save(str(path))
    return path


async def test_text_in_pictures_is_read(qapp: QGuiApplication, tmp_path: Path) -> None:
    """Of a scan without text, page by page, and of a screenshot, by a confined worker."""
    models = tesseract.folder()
    if models is None or tesseract.languages(models) != "rus+eng":
        pytest.skip("Tesseract with Russian and English is not installed (tesseract-ocr-rus)")
    desktop = tmp_path / "desktop"
    desktop.mkdir()
    image = picture(desktop / "a.png", "Залог 45 000 deposit")
    canvas = Canvas(str(desktop / "a.pdf"))
    canvas.showPage()
    canvas.drawImage(str(image), 40, 600, 500, 66)
    canvas.save()
    async with PooledExtractor(LocalFilesRoot((desktop,)), tmp_path / "work") as extractor:
        assert "45 000 deposit" in (await extractor.extract(image)).text
        found = await extractor.extract(desktop / "a.pdf")
    assert [block.place for block in found.blocks] == [Pages(first=2, last=2)]
    assert "Залог" in found.text


@pytest.mark.parametrize("name", ["a.png", "a.pdf"])
async def test_without_tesseract_it_is_said(
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """With a mark by which the file is read once Tesseract is there."""
    monkeypatch.setattr(tesseract, "folder", lambda: None)
    images = shared_data / "documents" / "imagemagick-images.pdf"
    (tmp_path / name).write_bytes(images.read_bytes() if name == "a.pdf" else b"\x89PNG\r\n")
    async with PooledExtractor(LocalFilesRoot((tmp_path,)), tmp_path / "work") as extractor:
        with pytest.raises(ExtractionError) as refused:
            await extractor.extract(tmp_path / name)
    assert (refused.value.reason, refused.value.detail) == (Reason.NO_TEXT, OCR_MISSING)
