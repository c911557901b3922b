"""Paths that try to leave a root, and what a look at a folder finds, for the suites of the files root."""

import os
import stat
from pathlib import Path

CORPUS = (
    # By the text
    "..", "../secret.txt", "inner/../../secret.txt", "inner/../..", "./../secret.txt", "/etc/passwd",
    "//etc/passwd", "/proc/self/root/etc/passwd", "/proc/self/cwd", "/dev/zero", "~", "~/secret.txt",
    "~root/a", "$HOME/secret.txt", "a\0b", "inner/lease.txt\0.md", "inner\0/../../secret.txt", "x" * 300,
    "d/" * 1300 + "a", "", ".", "inner/.",
    # By what other systems take them for
    "NUL", "CON.txt", "COM1", "inner/aux", "lease.txt:stream", "a.txt::$DATA", "SECRET~1.TXT",
    "OUTSID~1/lease.txt", "\\\\server\\share\\a", "//server/share/a", "\\\\?\\C:\\a", "C:\\secret.txt",
    "C:secret.txt", "..\\secret.txt", "inner\\..\\..\\secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt",
    "..%c0%af..%c0%afsecret.txt",
    # By letters that look alike, cases and both normal forms
    "\uff0e\uff0e/secret.txt", "\u2024\u2024/secret.txt", "..\u2215secret.txt", "..\uff0fsecret.txt",
    "INNER/LEASE.TXT", "Inner/lease.txt", "\u0456nner/lease.txt", "caf\u00e9.txt", "cafe\u0301.txt",
    "inner/lease.txt\u202etxt", "in\u200bner/lease.txt",
    # By what lies in the root
    "to-file", "to-folder", "to-folder/lease.txt", "to-folder/new.txt", "to-nothing", "to-nothing/a",
    "to-inside", "to-above", "to-above/secret.txt", "to-self/to-self/inner/lease.txt", "to-etc/passwd",
    "to-proc/self/environ", "deep/er/to-folder/lease.txt", "fifo", "fifo/a",
    "inner/lease.txt/..", "inner/lease.txt/a",
)  # fmt: skip
"""Beneath a root that `trap` has laid; absolute ones are taken as they are."""


def trap(root: Path) -> None:
    """Lay links out of the root and within it, and a FIFO."""
    (root / "deep" / "er").mkdir(parents=True)
    for name, target in (
        ("to-file", "../secret.txt"),
        ("to-folder", "../outside"),
        ("deep/er/to-folder", "../../../outside"),
        ("to-nothing", "../nothing"),
        ("to-inside", "inner/lease.txt"),
        ("to-above", ".."),
        ("to-self", "."),
        ("to-etc", "/etc"),
        ("to-proc", "/proc"),
    ):
        (root / name).symlink_to(target)
    os.mkfifo(root / "fifo")


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return everything beneath a folder by its relative name, with the content of files; links not followed."""
    found: dict[str, bytes | None] = {}
    for path in sorted(folder.rglob("*")):
        is_file = stat.S_ISREG(path.lstat().st_mode)
        found[str(path.relative_to(folder))] = path.read_bytes() if is_file else None
    return found
