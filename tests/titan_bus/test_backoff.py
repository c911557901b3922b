"""Claims about the pauses between tries."""

import pytest

from titan_bus import RetryConfig, StreamConfig
from titan_bus.backoff import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    """And begin again after a success; a million tries overflow nothing."""
    backoff = Backoff(0.5, 3.0, jitter=False)
    assert [backoff.next_s() for _ in range(4)] == [0.5, 1.0, 2.0, 3.0]
    backoff.reset()
    assert backoff.next_s() == 0.5
    assert backoff.pause_s(1_000_000) == 3.0


@pytest.mark.parametrize("tries", [1, 5])
def test_those_who_come_at_once_do_not_come_again_at_once(tries: int) -> None:
    """With jitter a pause is half of its length at least, and never more than that."""
    backoff = Backoff(1.0, 8.0)
    longest = min(8.0, 2.0 ** (tries - 1))
    pauses = [backoff.pause_s(tries) for _ in range(100)]
    assert all(longest / 2 <= pause <= longest for pause in pauses)
    assert len(set(pauses)) > 50


def test_retries_outlast_an_outage_elsewhere() -> None:
    """By default an event is still tried when a database was away for 30 s, however the pauses fell."""
    retry, limit = RetryConfig(), StreamConfig(name="t").retry_limit
    shortest = [retry.base_s * 2**done / 2 for done in range(limit)]
    assert max(shortest) < retry.cap_s / 2
    assert 30 < sum(shortest) < 60
