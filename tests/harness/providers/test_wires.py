"""Our conversation in the words of each API: what goes, what is dropped, and what each API insists on."""

import itertools
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.protocol.messages import (
    Block,
    ImageBlock,
    Message,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolSpec,
    ToolUseBlock,
)
from rein_tui.harness.protocol.models import ModelRequest
from rein_tui.harness.providers import anthropic_wire, ollama_wire, openai_wire
from rein_tui.harness.providers.anthropic_wire import Dialect

TOOL = ToolSpec(name="Read", description="Reads", input_schema={"type": "object"})
OTHER = ToolSpec(name="Bash", description="Runs", input_schema={"type": "object"})
IMAGE = ImageBlock(media_type="image/png", data="AAAA", name="shot.png")


def user(*blocks: Block) -> Message:
    return Message(role="user", blocks=blocks)


def assistant(*blocks: Block) -> Message:
    return Message(role="assistant", blocks=blocks)


CONVERSATION = (
    user(TextBlock(text="look"), TextBlock(text="  ")),
    assistant(
        ThinkingBlock(thinking="hm", signature="sig"),
        ThinkingBlock(thinking="from another model"),
        RedactedThinkingBlock(data="x"),
        TextBlock(text="I look"),
        ToolUseBlock(id="call:1", name="Read", input={"file_path": "ü"}),
        ToolUseBlock(id="b", name="Bash", malformed="{"),
    ),
    user(
        TextBlock(text="and hurry"),
        ToolResultBlock(tool_use_id="call:1", content=(TextBlock(text="seen"), IMAGE)),
        ToolResultBlock(tool_use_id="b", content="bad input", is_error=True),
    ),
)


def request(**changes: Any) -> ModelRequest:
    plain = ModelRequest(model="m", system="sys", messages=CONVERSATION, tools=(TOOL, OTHER))
    return msgspec.structs.replace(plain, **changes)


def test_claude_gets_everything_in_its_order() -> None:
    body = anthropic_wire.encode_request(request(thinking=True, effort="high"), Dialect(max_tokens=100))
    first, answer, results = body["messages"]
    assert [part["type"] for part in first["content"]] == ["text"]
    assert [part["type"] for part in answer["content"]] == [
        "thinking",
        "redacted_thinking",
        "text",
        "tool_use",
        "tool_use",
    ]
    assert answer["content"][3]["id"] == results["content"][0]["tool_use_id"] == "call_1"
    assert [part["type"] for part in results["content"]] == ["tool_result", "tool_result", "text"]
    assert results["content"][1]["is_error"] is True
    assert results["content"][0]["content"][1]["source"]["media_type"] == "image/png"
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body["output_config"] == {"effort": "high"}


def test_claude_caches_tools_system_and_the_last_two_user_messages() -> None:
    body = anthropic_wire.encode_request(request(), Dialect(max_tokens=100))
    assert "cache_control" in body["tools"][-1]
    assert "cache_control" in body["system"][0]
    marked = [index for index, m in enumerate(body["messages"]) if "cache_control" in m["content"][-1]]
    assert marked == [0, 2]
    assert str(body).count("cache_control") == 4
    bare = anthropic_wire.encode_request(request(), Dialect(max_tokens=100, cached=False))
    assert "cache_control" not in str(bare)


def test_claude_s_special_wishes() -> None:
    wished = request(forced_tool="Read", thinking=True, stop=("x",), temperature=0.5, max_tokens=999, forced_schema={})
    body = anthropic_wire.encode_request(wished, Dialect(max_tokens=100))
    assert body["tool_choice"] == {"type": "tool", "name": "Read"}
    assert "thinking" not in body
    assert (body["max_tokens"], body["temperature"], body["stop_sequences"]) == (100, 0.5, ["x"])
    assert body["output_config"]["format"]["type"] == "json_schema"
    old = anthropic_wire.encode_request(
        request(thinking=True), Dialect(max_tokens=8000, refused=frozenset({"adaptive"}))
    )
    assert old["thinking"] == {"type": "enabled", "budget_tokens": 4000}


def test_thinking_with_a_budget_begins_with_a_turn_of_its_own() -> None:
    """A turn of another model, or one that broke off, has calls without thinking before them."""
    old = Dialect(max_tokens=8000, refused=frozenset({"adaptive"}))
    foreign = (user(TextBlock(text="go")), assistant(ToolUseBlock(id="a", name="Read", input={})))
    open_turn = (*foreign, user(ToolResultBlock(tool_use_id="a", content="x"), TextBlock(text="and?")))
    rested = (*open_turn, assistant(TextBlock(text="done")), user(TextBlock(text="more")))
    asked = [request(thinking=True, messages=messages) for messages in (CONVERSATION, open_turn, rested)]
    assert ["thinking" in anthropic_wire.encode_request(one, old) for one in asked] == [True, False, True]
    assert all("thinking" in anthropic_wire.encode_request(one, Dialect(max_tokens=8000)) for one in asked)
    assert "thinking" not in anthropic_wire.encode_request(asked[0], Dialect(max_tokens=1024, refused=old.refused))


def test_a_message_never_ends_in_thinking() -> None:
    broken = assistant(TextBlock(text="so far"), ThinkingBlock(thinking="then", signature="s"))
    only = assistant(RedactedThinkingBlock(data="x"))
    sent = anthropic_wire.encode_messages((user(TextBlock(text="a")), broken, user(TextBlock(text="b"))), cached=False)
    assert [part["type"] for part in sent[1]["content"]] == ["text"]
    assert len(anthropic_wire.encode_messages((user(TextBlock(text="a")), only), cached=False)) == 1


def test_chat_servers_get_results_as_tool_messages() -> None:
    body = openai_wire.encode_request(request())
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant", "tool", "tool", "user"]
    system, first, answer, seen, bad, last = body["messages"]
    assert (system["content"], first["content"], answer["content"]) == ("sys", "look", "I look")
    assert answer["tool_calls"][0]["function"] == {"name": "Read", "arguments": '{"file_path":"ü"}'}
    assert seen["tool_call_id"] == "call_1"
    assert bad["content"] == "Error: bad input"
    assert [part["type"] for part in last["content"]] == ["image_url", "text"]
    assert "hm" not in str(body)


def test_chat_servers_without_eyes_get_a_note() -> None:
    body = openai_wire.encode_request(request(), vision=False)
    assert "image_url" not in str(body)
    assert "shot.png" in body["messages"][3]["content"]


def test_chat_s_special_wishes() -> None:
    wished = request(forced_tool="Read", forced_schema={"type": "object"}, effort="low", max_tokens=5, temperature=0.0)
    body = openai_wire.encode_request(wished)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["Read"]
    assert (body["tool_choice"], body["max_tokens"], body["temperature"]) == ("required", 5, 0.0)
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    less = openai_wire.encode_request(wished, refused=frozenset({"max_tokens", "stream_options", "tool_choice"}))
    assert (less["max_completion_tokens"], "stream_options" in less, "tool_choice" in less) == (5, False, False)


def test_ollama_gets_objects_names_and_a_context_length() -> None:
    body = ollama_wire.encode_request(request(max_tokens=9, thinking=True), num_ctx=16_384, vision=True, thinks=True)
    assert body["options"] == {"num_ctx": 16_384, "num_predict": 9}
    assert body["think"] is True
    _system, _first, answer, seen, bad, last = body["messages"]
    assert answer["tool_calls"][0]["function"]["arguments"] == {"file_path": "ü"}
    assert (seen["tool_name"], bad["tool_name"]) == ("Read", "Bash")
    assert last["images"] == ["AAAA"]
    blind = ollama_wire.encode_request(request(), num_ctx=1, vision=False, thinks=False)
    assert "images" not in str(blind["messages"][-1].keys())
    assert "think" not in blind


_blocks = st.one_of(
    st.builds(TextBlock, text=st.sampled_from(["a", " ", ""])),
    st.builds(ThinkingBlock, thinking=st.just("t"), signature=st.sampled_from(["", "s"])),
    st.builds(ToolUseBlock, id=st.sampled_from("xyz"), name=st.just("Read")),
    st.builds(ToolResultBlock, tool_use_id=st.sampled_from("xyz"), content=st.sampled_from(["", "r"])),
)
_messages = st.lists(
    st.builds(Message, role=st.sampled_from(["user", "assistant"]), blocks=st.lists(_blocks, max_size=3).map(tuple)),
    max_size=6,
).map(tuple)


@given(_messages)
def test_nothing_blank_goes_out_and_roles_alternate(messages: tuple[Message, ...]) -> None:
    encoded = anthropic_wire.encode_messages(messages, cached=True)
    roles = [message["role"] for message in encoded]
    assert all(a != b for a, b in itertools.pairwise(roles))
    assert all(message["content"] for message in encoded)
    assert all(part.get("text", "x").strip() for message in encoded for part in message["content"])
    chat = openai_wire.encode_messages("", messages, vision=True)
    assert not any(a["role"] == b["role"] == "user" for a, b in itertools.pairwise(chat))
    assert all(message["content"].strip() or message.get("tool_calls") for message in chat)


@given(st.lists(_messages, min_size=1, max_size=3))
def test_bytes_for_sending_say_what_the_inspector_shows(stages: list[tuple[Message, ...]]) -> None:
    messages: tuple[Message, ...] = ()
    for stage in stages:  # a conversation that grows, each stage sent twice
        messages += stage
        asked = ModelRequest(model="m", system="s", messages=messages)
        for _ in range(2):
            claude = anthropic_wire.encode_request(asked, Dialect(max_tokens=9))
            assert msgspec.json.decode(anthropic_wire.encode_body(claude)) == claude
            chat = openai_wire.encode_request(asked)
            assert msgspec.json.decode(openai_wire.encode_body(chat, vision=True)) == chat
            ollama = ollama_wire.encode_request(asked, num_ctx=1, vision=True, thinks=False)
            assert msgspec.json.decode(ollama_wire.encode_body(ollama, vision=True)) == ollama
