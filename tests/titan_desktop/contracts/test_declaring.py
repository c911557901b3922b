"""What a service may declare."""

import pytest

from titan_bus import Event, HandlerRefusedError, Handlers
from titan_desktop.contracts import chat, files, search
from titan_desktop.contracts.declaring import take, tell


async def find(wanted: search.Search) -> search.SearchResult:
    return search.SearchResult(hits=())


async def stop(command: chat.StopAnswer, event: Event) -> None: ...


def test_a_handler_is_declared_by_its_annotation() -> None:
    """Topic, event type and reply are the message's; the options are each topic's."""
    handlers = Handlers()
    take(handlers, "g", find, stop, concurrency=3)
    tell(handlers, files.FileSeen)
    declared = {(one.topic, one.group): (set(one.routes), one.options) for one in handlers}
    assert declared == {
        ("search.requests.v1", "g"): ({"search"}, {"concurrency": 3}),
        ("chat.commands.v1", "g"): ({"stop_answer"}, {"concurrency": 3}),
    }
    assert [(sent.topic, sent.event_type) for sent in handlers.sent()] == [("files.v1", "file_seen")]


async def answers_otherwise(wanted: search.Search) -> chat.Message:
    raise NotImplementedError


async def answers_nothing(wanted: search.Search) -> None: ...


async def answers_a_command(command: chat.StopAnswer) -> chat.Message:
    raise NotImplementedError


async def takes_anything(event: Event) -> None: ...


async def takes_a_part(message: chat.Message) -> None: ...


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (answers_otherwise, "answered with SearchResult, not with Message"),
        (answers_nothing, "answered with SearchResult, not with None"),
        (answers_a_command, "answered with nothing"),
        (takes_anything, "one message of the contracts"),
        (takes_a_part, "one message of the contracts"),
    ],
)
def test_what_does_not_fit_its_message_is_refused(function: object, why: str) -> None:
    """When the service is made, not when the first message comes."""
    with pytest.raises(HandlerRefusedError, match=why):
        take(Handlers(), "g", function)  # type: ignore[arg-type]
