"""Speed and time left."""

import pytest

from titan_desktop.client.pace import WINDOW_S, Pace


def paced(*steps: tuple[float, int]) -> Pace:
    pace = Pace()
    pace.note(-1, -50.0)  # what comes before the first step is a start, however long it takes
    for at_s, done in steps:
        pace.note(done, at_s)
    return pace


def test_speed_and_time_left_are_those_of_the_last_half_minute() -> None:
    """What was slow long ago says nothing of what is left; a stall shows as it lasts."""
    slow = [(float(at), at) for at in range(100)]
    fast = [(100.0 + at, 100 + 10 * at) for at in range(60)]
    pace = paced(*slow, *fast)
    assert pace.per_second(159.0) == pytest.approx(10)
    assert pace.per_second(159.0 + WINDOW_S) == pytest.approx(5, rel=0.1)
    assert pace.say("en", 1200, 159.0) == "10 a second, about 2 min left"
    assert pace.say("ru", 1200, 159.0) == "10 в секунду, осталось около 2 мин"


def test_nothing_is_told_that_is_not_known() -> None:
    """At the beginning, at the end, and when a new task begins: with less than before, or after a pause."""
    assert not Pace().say("en", 10, 5.0)
    assert not paced((0.0, 0), (0.5, 100)).say("en", 10, 1.0)
    assert not paced((0.0, 0), (10.0, 100)).say("en", 0, 10.0)
    assert not paced((0.0, 0), (10.0, 100), (20.0, 1)).say("en", 10, 21.0)
    assert not paced((0.0, 0), (10.0, 100), (500.0, 110)).say("en", 10, 501.0)


@pytest.mark.parametrize(
    ("done", "left", "said"),
    [
        (100, 1, "10 a second, about 5 s left"),
        (100, 590, "10 a second, about 1 min left"),
        (2, 100, "12 a minute, about 8 min left"),
        (100, 39_000, "10 a second, about 1 h 5 min left"),
        (100, 720_000, "10 a second, about 20 h left"),
    ],
)
def test_times_are_told_as_people_tell_them(done: int, left: int, said: str) -> None:
    """Seconds in steps of five, then minutes, then hours; what is slow by the minute."""
    assert paced((0.0, 0), (10.0, done)).say("en", left, 10.0) == said
