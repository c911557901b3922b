"""The order in which waiting events are handled."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from titan_bus import Priority
from titan_bus.consumer.priorities import Priorities

WEIGHTS = {Priority.HIGH: 3, Priority.MEDIUM: 2, Priority.LOW: 1}
priorities = st.sampled_from(list(Priority))
weights = st.fixed_dictionaries({priority: st.integers(1, 9) for priority in Priority})
many = settings(deadline=None, max_examples=200, database=None)


def drained(queue: Priorities[tuple[int, Priority]]) -> Iterator[tuple[int, Priority]]:
    while queue:
        yield queue.pop()


def numbered(batch: list[Priority], first: int = 0) -> list[tuple[Priority, tuple[int, Priority]]]:
    return [(priority, (first + n, priority)) for n, priority in enumerate(batch)]


@many
@given(st.lists(priorities), weights)
def test_within_a_batch_the_heaviest_comes_first(batch: list[Priority], weights: dict[Priority, int]) -> None:
    """One batch leaves by weight, equal weights in order of arrival."""
    queue: Priorities[tuple[int, Priority]] = Priorities(weights)
    queue.add(numbered(batch))
    arrived = [item for _, item in numbered(batch)]
    assert list(drained(queue)) == sorted(arrived, key=lambda item: -weights[item[1]])


@many
@given(st.lists(st.one_of(st.lists(priorities), st.integers(1, 20))), weights)
def test_nothing_is_lost_or_doubled(steps: list[list[Priority] | int], weights: dict[Priority, int]) -> None:
    """In every interleaving of add and pop each item comes out once, those of one priority in order."""
    queue: Priorities[tuple[int, Priority]] = Priorities(weights)
    added, taken = 0, []
    for step in steps:
        if isinstance(step, list):
            queue.add(numbered(step, added))
            added += len(step)
        else:
            taken += [queue.pop() for _ in range(min(step, len(queue)))]
    assert len(queue) == added - len(taken)
    taken += list(drained(queue))
    assert sorted(number for number, _ in taken) == list(range(added))
    for priority in Priority:
        numbers = [number for number, its in taken if its is priority]
        assert numbers == sorted(numbers)


@many
@given(st.lists(st.lists(priorities), max_size=8), st.lists(st.lists(priorities, max_size=6)), weights)
def test_nobody_starves(
    before: list[list[Priority]], after: list[list[Priority]], weights: dict[Priority, int]
) -> None:
    """The number of events before an event is bounded by the weights and the backlog, not by the flood."""
    queue: Priorities[tuple[int, Priority]] = Priorities(weights)
    for batch in before:
        queue.add(numbered(batch))
    ahead = sum(map(len, before))
    queue.add([(Priority.LOW, (-1, Priority.LOW))])
    lightest = min(weights.values())
    bound = (ahead + 1) * (1 + sum(weight // lightest + 1 for weight in weights.values()))
    flood = iter(after)
    for _ in range(bound):
        queue.add(numbered([*next(flood, []), Priority.HIGH, Priority.MEDIUM]))
        if queue.pop() == (-1, Priority.LOW):
            break
    else:
        pytest.fail(f"not within {bound} picks")


def test_between_batches_the_weights_are_the_shares() -> None:
    """Three continuous floods are served 3 to 2 to 1."""
    queue: Priorities[Priority] = Priorities(WEIGHTS)
    for priority in (Priority.LOW, Priority.MEDIUM, Priority.HIGH):
        queue.add([(priority, priority)] * 1_000)
    taken = [queue.pop() for _ in range(600)]
    assert [taken.count(priority) for priority in Priority] == [300, 200, 100]


def test_no_priority_saves_up_turns() -> None:
    """A priority that was alone or absent for long gets no more than its share afterwards."""
    queue: Priorities[Priority] = Priorities(WEIGHTS)
    for _ in range(50):  # high and medium share
        queue.add([(Priority.MEDIUM, Priority.MEDIUM)])
        queue.add([(Priority.HIGH, Priority.HIGH)])
    while queue:
        queue.pop()
    queue.add([(Priority.LOW, Priority.LOW)] * 100)
    queue.add([(Priority.HIGH, Priority.HIGH)] * 100)
    taken = [queue.pop() for _ in range(40)]
    assert 9 <= taken.count(Priority.LOW) <= 11


def test_a_priority_that_is_not_listed_weighs_one() -> None:
    """With only high in the configuration, medium and low are alike."""
    queue: Priorities[tuple[int, Priority]] = Priorities({Priority.HIGH: 2})
    queue.add(numbered([Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.LOW]))
    assert [number for number, _ in drained(queue)] == [2, 0, 1, 3]


def test_an_empty_queue_raises() -> None:
    """`pop` raises on an empty queue, and on one that was cleared."""
    queue: Priorities[int] = Priorities(WEIGHTS)
    queue.add([(Priority.LOW, 1)])
    queue.clear()
    assert not queue
    with pytest.raises(IndexError):
        queue.pop()
