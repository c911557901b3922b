"""Files that are moved, for the suites of passages."""

from titan_desktop.contracts.sources import Pages
from titan_desktop.ports.files_root import Stamp
from titan_desktop.ports.passages import FileEntry, Passage, Passages

STAMP = Stamp(size=1, mtime_ns=2, inode=3)


TEXT = [
    Passage("Залог — два месяца.", Pages(first=1, last=1)),
    Passage("Плата пятого числа.", Pages(first=2, last=2)),
]


async def put(passages: Passages, *paths: str, text: list[Passage] = TEXT, stamp: Stamp = STAMP) -> None:
    for path in paths:
        await passages.store(FileEntry(path=path, stamp=stamp), text)


async def found(passages: Passages, query: str) -> list[str]:
    return sorted({hit.path for hit in await passages.find_words(query, 50)})
