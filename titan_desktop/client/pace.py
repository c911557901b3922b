"""How fast something goes on, and how long it will take. For the window and the commands.

The speed is that of the last half minute, so a pause that the core makes for the person is soon forgotten.
"""

from collections import deque
from typing import NamedTuple

from titan_desktop.client.sentences import Language, Words

WINDOW_S = 30.0
PAUSE_S = 120.0
AT_FIRST_S = 2.0
"""Nobody is told a speed before it was watched for so long."""
_MINUTE_S = 60
_STEP_S = 5
"""Seconds are told in steps of so many: nobody believes the last digit."""


class _Sample(NamedTuple):
    at_s: float
    done: int


class Pace:
    """The speed of one task, from how much was done when."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self._stepped = False

    def note(self, done: int, now_s: float) -> None:
        """So much is done by now. Less than before begins a new task, and so does a long pause."""
        if self._samples and (done < self._samples[-1].done or now_s - self._samples[-1].at_s > PAUSE_S):
            self._samples.clear()
        if len(self._samples) == 1 and done > self._samples[0].done and not self._stepped:
            self._samples.clear()  # the way to the first step is a start, and says nothing of the others
            self._stepped = True
        elif not self._samples:
            self._stepped = False
        if not self._samples or done > self._samples[-1].done:
            self._samples.append(_Sample(now_s, done))
        while len(self._samples) > 2 and self._samples[1].at_s <= now_s - WINDOW_S:  # noqa: PLR2004 - a span has two
            self._samples.popleft()

    def per_second(self, now_s: float) -> float:
        """Return the speed, 0 while it is not known."""
        if not self._samples:
            return 0.0
        first, last = self._samples[0], self._samples[-1]
        watched_s = now_s - first.at_s
        return (last.done - first.done) / watched_s if watched_s >= AT_FIRST_S else 0.0

    def say(self, language: Language, left: int, now_s: float) -> str:
        """Return speed and time left in words, "" while they are not known: "12 a second, about 3 min left"."""
        speed = self.per_second(now_s)
        if speed <= 0 or left <= 0:
            return ""
        rate = (
            _A_SECOND.say(language, count=round(speed))
            if speed >= 1
            else _A_MINUTE.say(language, count=max(1, round(speed * _MINUTE_S)))
        )
        return _LEFT.say(language, rate=rate, time=_duration(language, left / speed))


def _duration(language: Language, seconds: float) -> str:
    if seconds < _MINUTE_S - _STEP_S / 2:
        return _SECONDS.say(language, seconds=max(1, round(seconds / _STEP_S)) * _STEP_S)
    minutes = max(1, round(seconds / _MINUTE_S))
    if minutes < _MINUTE_S:
        return _MINUTES.say(language, minutes=minutes)
    hours, minutes = divmod(minutes, _MINUTE_S)
    words = _HOURS_MINUTES if minutes and hours < _HOURS_ALONE else _HOURS
    return words.say(language, hours=hours, minutes=minutes)


_HOURS_ALONE = 10
"""From so many hours on minutes are not told."""
_A_SECOND = Words("{count} a second", "{count} в секунду")
_A_MINUTE = Words("{count} a minute", "{count} в минуту")
_LEFT = Words("{rate}, about {time} left", "{rate}, осталось около {time}")
_SECONDS = Words("{seconds} s", "{seconds} с")
_MINUTES = Words("{minutes} min", "{minutes} мин")
_HOURS = Words("{hours} h", "{hours} ч")
_HOURS_MINUTES = Words("{hours} h {minutes} min", "{hours} ч {minutes} мин")
