"""Claims about when the core may end. The clock is the test's."""

import pytest

from titan_desktop.contracts.system import CLIENT_BEAT_S, CLIENT_TTL_S
from titan_desktop.core.presence import AFTERGLOW_S, GRACE_S, Presence


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0
        self.busy = False
        self.presence = Presence(lambda: self.busy, lambda: self.now_s)

    def over_after(self, seconds: float) -> bool:
        self.now_s += seconds
        return self.presence.is_over()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_nobody_comes(clock: Clock) -> None:
    """The first client has some time; after it the core ends."""
    assert not clock.over_after(GRACE_S - 1)
    assert clock.over_after(2)


def test_a_client_that_beats_keeps_it(clock: Clock) -> None:
    """For as long as it beats, and not longer than a beat is good for."""
    for _ in range(20):
        clock.presence.arrived("a")
        assert not clock.over_after(CLIENT_BEAT_S)
    assert not clock.over_after(CLIENT_TTL_S - CLIENT_BEAT_S - 1)
    assert not clock.over_after(2)
    assert clock.over_after(AFTERGLOW_S + 0.1)


def test_the_last_goodbye_ends_it_soon(clock: Clock) -> None:
    """Not at once: two commands in a row share one core. The grace of the start no longer counts."""
    clock.presence.arrived("a")
    clock.presence.arrived("b")
    clock.presence.left("a")
    assert not clock.over_after(AFTERGLOW_S + 1)
    clock.presence.left("b")
    assert not clock.over_after(AFTERGLOW_S - 0.1)
    assert clock.over_after(0.2)


def test_a_new_client_within_the_afterglow_keeps_it(clock: Clock) -> None:
    """The next command finds the core of the one before."""
    clock.presence.arrived("a")
    clock.presence.left("a")
    clock.over_after(AFTERGLOW_S / 2)
    clock.presence.arrived("b")
    assert not clock.over_after(AFTERGLOW_S * 2)


def test_work_in_hand_is_finished(clock: Clock) -> None:
    """A killed window leaves an answer that finishes."""
    clock.presence.arrived("a")
    clock.presence.left("a")
    clock.busy = True
    assert not clock.over_after(100)
    clock.busy = False
    assert not clock.over_after(AFTERGLOW_S - 0.1)
    assert clock.over_after(0.2)
