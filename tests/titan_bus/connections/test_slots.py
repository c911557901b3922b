"""Keys and commands to slots. That the server counts the same way stands in `test_cluster`."""

import pytest

from titan_bus import names
from titan_bus.connections.keys import Word
from titan_bus.connections.slots import slot_of, slot_of_command

STREAM = names.stream_of("chat.v1")


def test_the_specification_s_examples() -> None:
    """The check value of the CRC, and which part of a key counts (Redis Cluster specification, "Hash tags")."""
    assert slot_of("123456789") == 0x31C3
    assert slot_of("{user1000}.following") == slot_of("{user1000}.followers") == slot_of("user1000")
    assert slot_of("foo{}{bar}") not in {slot_of("foo"), slot_of("bar")}
    assert slot_of("foo{{bar}}zap") == slot_of("{bar")
    assert slot_of("foo{bar}{zap}") == slot_of(b"bar")


def test_all_keys_of_a_topic_lie_together() -> None:
    """Stream, retries and delayed events of a topic share a slot, so that an outcome is one step."""
    keys = (STREAM, names.retries_of("g", "chat.v1"), names.delayed_of("g", "chat.v1"))
    assert len({slot_of(key) for key in keys}) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("XADD", STREAM, "*", "e", b"x"),
        ("XACK", STREAM, "g", b"1-1"),
        ("XGROUP", "CREATE", STREAM, "g", "0"),
        ("XINFO", "GROUPS", STREAM),
        ("EVAL", "return 1", 1, STREAM, "x"),
        ("XREADGROUP", "GROUP", "g", "c", "COUNT", 1, "BLOCK", 1, "STREAMS", STREAM, ">"),
        ("XREAD", "STREAMS", STREAM.encode(), "0"),
    ],
)
def test_a_command_has_the_slot_of_its_key(words: tuple[Word, ...]) -> None:
    """The key is found wherever the command has it, as text or bytes."""
    assert slot_of_command(words) == slot_of(STREAM)


@pytest.mark.parametrize("words", [("PING",), ("CLIENT", "ID"), ("EVAL", "return 1", 0), ("WAIT", 1, 0)])
def test_a_command_without_a_key_has_none(words: tuple[Word, ...]) -> None:
    """Such a command may go to any node."""
    assert slot_of_command(words) is None
