"""The format of segments."""

import tracemalloc

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from titan_bus import codec, names
from titan_bus.archive import segment, snapshot
from titan_bus.archive.segment import Entry, Segment, SegmentWriter
from titan_bus.archive.segment_name import FOLDER_MAX, SegmentName, folder_of, stream_of
from titan_bus.entry_id import FIRST, LAST, EntryId
from titan_bus.errors import SegmentDamagedError, SegmentForeignError

STREAM = names.stream_of("chat.v1")
fields = st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=200)), min_size=1, max_size=3)
events = st.binary(max_size=200).map(lambda body: [(codec.FIELD, b"{" + body)])
written = st.lists(st.one_of(events, fields), min_size=1, max_size=30)


def entries_of(written: list[list[tuple[bytes, bytes]]]) -> list[Entry]:
    return [
        (b"%d-%d" % (1_700_000_000_000 + n // 3, n % 3), [part for pair in pairs for part in pair])
        for n, pairs in enumerate(written)
    ]


def build(entries: list[Entry]) -> tuple[SegmentName, bytes]:
    writer = SegmentWriter(STREAM)
    writer.extend(entries)
    return writer.finish()


def read(name: SegmentName, data: bytes) -> tuple[list[Entry], list[SegmentDamagedError]]:
    """Return what a segment gives, and what it says of the rest."""
    found: list[Entry] = []
    opened = Segment(name, data)
    damages = [opened.damage] if opened.damage else []
    for block in opened.blocks:
        try:
            found += [segment.unpack(line) for line in opened.lines(block)]
        except SegmentDamagedError as damage:
            damages.append(damage)
    return found, damages


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "BLOCK_BYTES", 300)


@settings(max_examples=200, deadline=None, database=None)
@given(written)
def test_what_was_written_is_read(written: list[list[tuple[bytes, bytes]]]) -> None:
    """Any entries come back byte for byte, whatever their names and values are."""
    entries = entries_of(written)
    name, data = build(entries)
    assert read(name, data) == (entries, [])
    assert (name.stream, name.count) == (STREAM, len(entries))
    assert (str(name.first).encode(), str(name.last).encode()) == (entries[0][0], entries[-1][0])


SAMPLE = entries_of([[(codec.FIELD, b'{"n":%d,"text":"%s"}' % (n, b"abc" * n))] for n in range(30)])


@pytest.mark.usefixtures("small_blocks")
def test_damage_at_any_byte_is_found() -> None:
    """Each byte altered in turn: it is said, nothing false is given, and the other blocks still are."""
    name, data = build(SAMPLE)
    assert len(Segment(name, data).blocks) > 3
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] ^= 0xFF
        found, damages = read(name, bytes(altered))
        assert damages, f"byte {at}"
        assert damages[0].name == str(name)
        assert all(entry in SAMPLE for entry in found)
        assert len(found) >= len(SAMPLE) / 2, f"byte {at}"


@pytest.mark.usefixtures("small_blocks")
def test_a_torn_segment_gives_what_is_whole() -> None:
    """Cut anywhere, a segment is named, and gives the blocks before the cut."""
    name, data = build(SAMPLE)
    blocks = Segment(name, data).blocks
    for length in range(len(data)):
        found, damages = read(name, data[:length])
        assert damages, f"{length} bytes"
        whole = sum(block.count for block in blocks if block.offset + block.length <= length)
        assert found == SAMPLE[:whole]


def test_a_segment_under_another_name_is_found() -> None:
    """A renamed or exchanged object does not pass for another."""
    name, data = build(SAMPLE)
    other = SegmentName(names.stream_of("fs.v1"), name.first, name.last, name.count)
    damage = Segment(other, data).damage
    assert damage is not None
    assert "renamed" in damage.detail


def test_another_streams_segment_is_not_served() -> None:
    """Whole, so nothing is to be saved: in another topic's folder it gives nothing; nor of a later version."""
    name, data = build(SAMPLE)
    opened = Segment(SegmentName(names.stream_of("fs.v1"), name.first, name.last, name.count), data)
    assert isinstance(opened.damage, SegmentForeignError)
    assert opened.blocks == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment, "VERSION", 2)
        later = build(SAMPLE)
    assert Segment(*later).blocks == []


def test_what_would_not_fit_into_memory_is_not_unpacked() -> None:
    """A small file of zeros that says no length: neither a segment nor a snapshot makes 200 MB of it."""
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    bomb = b"".join([*(packer.compress(bytes(1 << 22)) for _ in range(50)), packer.flush()])
    tracemalloc.start()
    try:
        assert Segment(SegmentName(STREAM, EntryId(1), EntryId(2), 2), bomb).blocks == []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(snapshot, "LINE_BYTES_MAX", 1 << 20)
            with pytest.raises(SegmentDamagedError):
                snapshot.read("s", bomb, STREAM)
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()


def test_a_newer_version_is_said() -> None:
    """A segment of a later program is not guessed at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment, "VERSION", 2)
        name, data = build(SAMPLE)
    damage = Segment(name, data).damage
    assert damage is not None
    assert "version 2" in damage.detail


def test_the_name_tells_the_range() -> None:
    """A listing is enough to know what is where."""
    name, _ = build(SAMPLE)
    assert str(name) == "chat.v1/1700000000000-0_1700000000009-2_30.jsonl.zst"
    assert SegmentName.parse(str(name)) == name
    assert SegmentName.parse("chat.v1/groups.jsonl.zst") is None


def test_any_decoder_reads_it() -> None:
    """What knows zstd and nothing of us gives one line an entry: its id and the event."""
    _, data = build(SAMPLE)
    plain = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    assert plain.splitlines() == [entry_id + b"\t" + fields[1] for entry_id, fields in SAMPLE]


@settings(max_examples=200, deadline=None, database=None)
@given(st.text(min_size=1, max_size=30))
def test_any_topic_has_a_folder_of_its_own(topic: str) -> None:
    """Whatever a topic is called, its folder is one safe name, and tells the topic."""
    folder = folder_of(names.stream_of(topic))
    assert len(folder) <= FOLDER_MAX
    assert stream_of(folder) == names.stream_of(topic)
    assert not folder.startswith(".")
    assert set(folder) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.-=ABCDEF")
    assert folder_of(names.DEAD_LETTERS) != folder_of(names.stream_of(names.DEAD_LETTERS))
    assert stream_of(folder_of(names.DEAD_LETTERS)) == names.DEAD_LETTERS


@pytest.mark.parametrize("topic", ["", ".", "..", "a.", "con", "nul.v1", "com1", "aux.", "=", "A", "a/b"])
def test_a_topic_that_no_system_takes_has_a_folder(topic: str) -> None:
    """Names that are empty, hidden, or Windows' own: each has a folder of its own, which tells the topic."""
    folder = folder_of(names.stream_of(topic))
    assert stream_of(folder) == names.stream_of(topic)
    assert folder
    assert not folder.endswith(".")
    assert folder.partition(".")[0] not in {"", "con", "nul", "com1", "aux"}


def test_a_name_that_is_too_long_has_a_folder_of_its_own() -> None:
    """Two long names that begin alike have two folders, which fit everywhere, and do not tell the topic."""
    long = [names.stream_of("уведомления-" * 4 + end) for end in "ab"] + ["x" * 201]
    folders = {folder_of(stream) for stream in long}
    assert len(folders) == 3
    assert max(map(len, folders)) <= FOLDER_MAX
    assert {stream_of(folder) for folder in folders} == {None}
    assert SegmentName.parse(f"{folder_of(long[0])}/1-0_2-0_2.jsonl.zst") is None


@given(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)))
@settings(deadline=None, database=None)
def test_ids_compare_as_numbers(parts: tuple[int, int]) -> None:
    """An id survives being written, and the one before it is smaller."""
    entry_id = EntryId(*parts)
    assert EntryId.parse(str(entry_id)) == entry_id
    assert FIRST <= entry_id <= LAST
    assert entry_id.previous() < entry_id or entry_id == FIRST
    assert EntryId.parse("9-0") < EntryId.parse("10-0")


@pytest.mark.parametrize("written", ["", "x", "1-x", "-1", "1-", "1_0-0", "+1-0", " 1-0"])
def test_what_is_no_id_is_refused(written: str) -> None:
    """Only the server's own form passes."""
    with pytest.raises(ValueError, match="1700000000000-0"):
        EntryId.parse(written)
