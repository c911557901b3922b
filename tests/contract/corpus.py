"""A small index for the suites of passages."""

from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passage, Passages

CORPUS = {
    "/d/Договор аренды.pdf": [
        "Арендатор вносит залог в размере двух месячных платежей.",
        "Залог возвращается арендатору после проверки квартиры, если нет повреждений.",
    ],
    "/d/смета.xlsx": ["Смета на ремонт: краска, обои, залог за инструмент, краска ещё раз."],
    "/d/lease.docx": ["The deposit is two monthly rents. The deposit is returned after the inspection."],
    "/d/notes.txt": ["Buy paint, return the drill, pay the rent before the tenth."],
}


def entry(path: str, **changes: object) -> FileEntry:
    return FileEntry(path=path, stamp=Stamp(size=1, mtime_ns=2), **changes)


def of(*texts: str) -> list[Passage]:
    return [Passage(text) for text in texts]


async def fill(passages: Passages, corpus: dict[str, list[str]] = CORPUS) -> None:
    for path, texts in corpus.items():
        await passages.store(entry(path), of(*texts))
