"""What a model says beside its text, and in a form: reasoning, tool calls, usage, images, structured answers."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import msgspec
import pytest

from tests.openai_server import OpenAIServer, serve
from titan_desktop.adapters.openai.model import OpenAIChatModel
from titan_desktop.contracts.faults import Fault
from titan_desktop.ports.model import (
    Endpoint,
    Image,
    ModelError,
    Part,
    Reasoning,
    Text,
    Tool,
    ToolCall,
    Turn,
    Usage,
)

TURNS = (Turn("user", "Сколько?"),)
FIND = Tool(
    "find_files",
    "Finds files by words.",
    {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)
CALLS = (("find_files", '{"query": "залог"}'), ("find_files", '{"query": "аренда"}'), ("now", ""))


class Person(msgspec.Struct, frozen=True):
    """Somebody."""

    name: str
    age: int | None = None


class Facts(msgspec.Struct, frozen=True):
    """A form with everything that a form may have."""

    people: tuple[Person, ...]
    boss: Person
    certain: bool = False
    notes: dict[str, str] = {}


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serve(text="one two") as server:
        yield server


@pytest.fixture
async def model() -> AsyncIterator[OpenAIChatModel]:
    model = OpenAIChatModel(connect_timeout_s=2, first_token_timeout_s=2, idle_timeout_s=2)
    yield model
    await model.close()


def endpoint(server: OpenAIServer) -> Endpoint:
    return Endpoint(server.base_url, "m", "k")


async def parts_of(
    model: OpenAIChatModel, server: OpenAIServer, turns: Sequence[Turn] = TURNS, tools: Sequence[Tool] = ()
) -> list[Part]:
    return [part async for part in model.stream(endpoint(server), turns, tools)]


def forms(server: OpenAIServer) -> list[str | None]:
    """The form that each request asked for."""
    return [(chat.body.get("response_format") or {}).get("type") for chat in server.chats]


@pytest.mark.parametrize(
    "fields", [("reasoning_content",), ("reasoning",), ("reasoning", "reasoning_content")]
)
async def test_reasoning_is_told_from_the_answer(
    model: OpenAIChatModel, server: OpenAIServer, fields: tuple[str, ...]
) -> None:
    """Under either of its names, and once when a server says it under both."""
    server.reasoning, server.reasoning_fields = "let me see", fields
    parts = await parts_of(model, server)
    assert "".join(part.text for part in parts if isinstance(part, Reasoning)) == "let me see"
    assert "".join(part.text for part in parts if isinstance(part, Text)) == "one two"


async def test_reasoning_alone_is_no_answer(model: OpenAIChatModel, server: OpenAIServer) -> None:
    server.text, server.reasoning = "", "let me see"
    with pytest.raises(ModelError) as caught:
        await parts_of(model, server)
    assert (caught.value.fault, caught.value.detail) == (Fault.EMPTY, "")


@pytest.mark.parametrize("whole", [False, True])
async def test_tool_calls_come_whole(model: OpenAIChatModel, server: OpenAIServer, *, whole: bool) -> None:
    """Put together from fragments of several calls in turn, or from pieces that all claim the same index."""
    server.tool_calls, server.whole_calls = CALLS, whole
    parts = await parts_of(model, server, tools=[FIND])
    assert [part for part in parts if not isinstance(part, Usage)] == [
        ToolCall("call_0", "find_files", '{"query": "залог"}'),
        ToolCall("call_1", "find_files", '{"query": "аренда"}'),
        ToolCall("call_2", "now", "{}"),
    ]
    assert server.chats[0].body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": FIND.name,
                "description": FIND.description,
                "parameters": FIND.parameters,
            },
        }
    ]


async def test_half_a_tool_call_is_never_made(model: OpenAIChatModel, server: OpenAIServer) -> None:
    """An answer that ran out of tokens within a call is a fault, and yields no call."""
    server.tool_calls, server.fault = CALLS, "length"
    parts: list[Part] = []

    async def read() -> None:
        async for part in model.stream(endpoint(server), TURNS, [FIND]):
            parts.append(part)  # noqa: PERF401 - the list is wanted although the loop raises

    with pytest.raises(ModelError) as caught:
        await read()
    assert caught.value.fault is Fault.MALFORMED
    assert [type(part) for part in parts] == [Usage]


async def test_a_call_and_its_result_go_back_to_the_model(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    call = ToolCall("call_0", "find_files", '{"query": "залог"}')
    turns = (*TURNS, Turn("assistant", "", calls=(call,)), Turn("tool", "nothing", call_id="call_0"))
    await parts_of(model, server, turns, [FIND])
    assert server.chats[0].body["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_0",
                    "type": "function",
                    "function": {"name": "find_files", "arguments": '{"query": "залог"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_0", "content": "nothing"},
    ]


async def test_an_image_travels_in_the_message(model: OpenAIChatModel, server: OpenAIServer) -> None:
    await parts_of(model, server, [Turn("user", "What is it?", images=(Image(b"\x89PNG", "image/png"),))])
    assert server.chats[0].body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
            ],
        }
    ]


async def test_usage_is_the_last_part(model: OpenAIChatModel, server: OpenAIServer) -> None:
    server.reasoning = "let me see"
    parts = await parts_of(model, server)
    assert parts[-1] == Usage(prompt=1, answer=5, cached=0, reasoning=3)


async def test_an_endpoint_that_does_not_tell_usage_answers_without(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    """The refusal of the parameter costs one request, once."""
    server.refuses = ["stream_options"]
    for _ in range(2):
        assert await parts_of(model, server) == [Text("one "), Text("two")]
    assert ["stream_options" in chat.body for chat in server.chats] == [True, False, False]


async def test_a_structured_answer_is_a_struct(model: OpenAIChatModel, server: OpenAIServer) -> None:
    """The endpoint gets the struct's schema, closed and complete; what it answers comes back as the struct."""
    server.text = None
    facts = await model.structured(endpoint(server), TURNS, Facts)
    assert facts == Facts(people=(), boss=Person("", 0))
    asked = server.chats[0].body["response_format"]["json_schema"]
    assert (asked["name"], asked["strict"]) == ("Facts", True)
    schema: dict[str, Any] = asked["schema"]
    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
    assert schema["required"] == ["people", "boss", "certain", "notes"]
    assert schema["$defs"]["Person"]["required"] == ["name", "age"]
    assert "default" not in str(schema)


@pytest.mark.parametrize(
    ("refuses", "asked"),
    [
        (["json_schema"], ["json_schema", "json_object", "json_object"]),
        (["json_schema", "json_object"], ["json_schema", "json_object", None, None]),
        (["stream_options", "json_schema"], ["json_schema", "json_schema", "json_object", "json_object"]),
    ],
)
async def test_an_endpoint_without_structured_answers_is_asked_in_words(
    model: OpenAIChatModel, server: OpenAIServer, refuses: list[str], asked: list[str | None]
) -> None:
    """It gets the schema in the prompt, under the strictest form that it takes, which is then remembered."""
    server.refuses, server.text = refuses, '{"name": "Anna", "age": 7}'
    for _ in range(2):
        assert await model.structured(endpoint(server), TURNS, Person) == Person("Anna", 7)
    assert forms(server) == asked
    first = server.chats[-1].body["messages"][0]
    assert first["role"] == "system"
    assert "JSON" in first["content"]
    assert '"age"' in first["content"]


async def test_a_request_that_is_wrong_in_itself_teaches_nothing(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    """When no form helps, the fault is told, and the next request begins with the strictest form again."""
    server.fault = "bad_request"
    with pytest.raises(ModelError) as caught:
        await model.structured(endpoint(server), TURNS, Person)
    assert caught.value.fault is Fault.REFUSED
    server.fault, server.text = "", '{"name": "Anna"}'
    server.requests.clear()
    await model.structured(endpoint(server), TURNS, Person)
    assert forms(server) == ["json_schema"]


@pytest.mark.parametrize(
    "text",
    [
        'Here it is:\n```json\n{"name": "Anna"}\n```\nAnything else?',
        '<think>{"name"?} Hm.</think>\n{"name": "Anna"}',
        '{"name": "Anna", "mood": "good"}',
    ],
)
async def test_what_stands_around_the_object_does_not_matter(
    model: OpenAIChatModel, server: OpenAIServer, text: str
) -> None:
    server.text = text
    assert await model.structured(endpoint(server), TURNS, Person) == Person("Anna")


@pytest.mark.parametrize("text", ['{"name": 7}', '{"age": 7}', "Anna, seven.", "}{", '{"name": "An'])
async def test_an_answer_that_does_not_fit_is_a_fault(
    model: OpenAIChatModel, server: OpenAIServer, text: str
) -> None:
    server.text = text
    with pytest.raises(ModelError) as caught:
        await model.structured(endpoint(server), TURNS, Person)
    assert caught.value.fault is Fault.MALFORMED
    assert caught.value.detail


async def test_a_structured_answer_that_was_cut_off_is_a_fault(
    model: OpenAIChatModel, server: OpenAIServer
) -> None:
    server.text, server.fault = '{"name": "Anna"}', "length"
    with pytest.raises(ModelError) as caught:
        await model.structured(endpoint(server), TURNS, Person)
    assert (caught.value.fault, caught.value.detail) == (Fault.MALFORMED, "finish_reason: length")
