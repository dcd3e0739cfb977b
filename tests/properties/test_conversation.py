"""The invariant of the conversation, under random stories."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.events import (
    Compacted,
    Fact,
    MessageFinished,
    PromptAdded,
    Rewound,
    SourceSwitched,
    ToolCallFinished,
)
from rein_tui.harness.protocol.messages import (
    Block,
    ImageBlock,
    Message,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from rein_tui.harness.providers import anthropic_wire, openai_wire
from rein_tui.harness.turn.conversation import Conversation, valid_messages

IDS = st.sampled_from(["a", "b", "c", "d", "e"])
TEXT = st.sampled_from(["", "  ", "hello", "x\ud800y", "\n", "done"])


def assert_valid(messages: tuple[Message, ...]) -> None:
    """What every provider demands of a request."""
    for position, message in enumerate(messages):
        assert message.blocks
        assert message.role == ("user" if position % 2 == 0 else "assistant")
        for block in message.blocks:
            if isinstance(block, TextBlock):
                assert block.text.strip()
            if isinstance(block, ThinkingBlock):
                assert block.signature
        uses = [use.id for use in message.tool_uses]
        if uses:
            answers = [b for b in messages[position + 1].blocks if isinstance(b, ToolResultBlock)]
            assert [a.tool_use_id for a in answers] == uses
            assert list(messages[position + 1].blocks[: len(answers)]) == list(answers)
    results = [b.tool_use_id for m in messages for b in m.blocks if isinstance(b, ToolResultBlock)]
    used = [use.id for m in messages for use in m.tool_uses]
    assert sorted(results) == sorted(used)
    assert len(set(used)) == len(used)
    for encode in (anthropic_messages, openai_messages):
        json.dumps(encode(messages), ensure_ascii=False).encode()  # a lone surrogate ends here


def anthropic_messages(messages: tuple[Message, ...]) -> list[JsonObject]:
    return anthropic_wire.encode_messages(messages, cached=False)


def openai_messages(messages: tuple[Message, ...]) -> list[JsonObject]:
    encoded = openai_wire.encode_messages("", messages, vision=True)
    waiting: list[str] = []
    for message in encoded:
        assert bool(waiting) == (message["role"] == "tool")
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
        waiting += [call["id"] for call in message.get("tool_calls", [])]
    assert not waiting
    return encoded


def uses(ids: list[str], text: str) -> tuple[Block, ...]:
    """Calls whose ids may have been used before: some servers count from nought in each message."""
    return (TextBlock(text=text), *(ToolUseBlock(id=i, name="Read", input={"path": text}) for i in ids))


THINKING = st.one_of(
    st.builds(ThinkingBlock, thinking=TEXT, signature=st.sampled_from(["", "s"])),
    st.builds(RedactedThinkingBlock, data=st.just("sealed")),
)
PICTURE = ImageBlock(media_type="image/png", data="iVBORw0KGgo=")
RESULT = st.one_of(TEXT, st.lists(st.one_of(st.builds(TextBlock, text=TEXT), st.just(PICTURE)), max_size=2).map(tuple))


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    facts: list[Fact] = []
    serial = 0
    for turn in range(1, draw(st.integers(1, 5)) + 1):
        facts.append(PromptAdded(turn=turn, message=Message(role="user", blocks=(TextBlock(text=draw(TEXT)),))))
        for _ in range(draw(st.integers(0, 3))):
            serial += 1
            blocks = uses(draw(st.lists(IDS.map(lambda i, n=serial: f"{i}{n % 2}"), max_size=3)), draw(TEXT))
            if draw(st.booleans()):
                blocks = (draw(THINKING), *blocks)
            facts.append(
                MessageFinished(
                    turn=turn, step=1, message=Message(role="assistant", blocks=blocks), stop_reason="tool_use"
                )
            )
            for call in draw(st.permutations([b.id for b in blocks if isinstance(b, ToolUseBlock)])):
                if draw(st.integers(0, 5)):
                    facts.append(
                        ToolCallFinished(turn=turn, call_id=call, name="Read", outcome="ok", content=draw(RESULT))
                    )
                if not draw(st.integers(0, 8)):
                    facts.append(ToolCallFinished(turn=turn, call_id=call, name="Read", outcome="ok", content="again"))
            if not draw(st.integers(0, 4)):
                message = Message(role="user", blocks=(TextBlock(text=draw(TEXT)),))
                facts.append(PromptAdded(turn=turn, message=message, origin="steer"))
        if not draw(st.integers(0, 4)):
            message = Message(role="user", blocks=(TextBlock(text=draw(TEXT)),))
            facts.append(PromptAdded(turn=turn, message=message, origin="memory", source="CLAUDE.md"))
        if not draw(st.integers(0, 4)):
            facts.append(SourceSwitched(turn=turn, kind="memory", name="CLAUDE.md", on=draw(st.booleans())))
        if not draw(st.integers(0, 6)):
            facts.append(Compacted(turn=turn, summary="so far"))
        if not draw(st.integers(0, 6)):
            facts.append(Rewound(turn=turn, to_turn=draw(st.integers(0, turn))))
    return facts


@given(stories())
def test_any_cut_of_any_story_is_a_valid_request(facts: list[Fact]) -> None:
    conversation = Conversation()
    for fact in facts:
        conversation.apply(fact)
        assert_valid(conversation.messages())


@given(stories())
def test_asking_in_between_changes_nothing(facts: list[Fact]) -> None:
    asked = Conversation()
    for fact in facts:
        asked.apply(fact)
        asked.messages()
    assert asked.messages() == Conversation(facts).messages()


@given(stories())
def test_building_is_idempotent(facts: list[Fact]) -> None:
    built = Conversation(facts).messages()
    assert valid_messages(built) == built


BLOCKS = st.one_of(
    st.builds(TextBlock, text=TEXT),
    THINKING,
    st.just(PICTURE),
    st.builds(ToolUseBlock, id=IDS, name=st.just("Read")),
    st.builds(ToolResultBlock, tool_use_id=IDS, content=RESULT),
)


@settings(max_examples=200)
@given(st.lists(st.builds(Message, role=st.sampled_from(["user", "assistant"]), blocks=st.lists(BLOCKS).map(tuple))))
def test_foreign_messages_become_valid(messages: list[Message]) -> None:
    built = valid_messages(messages)
    assert_valid(built)
    assert valid_messages(built) == built


def test_rewind_goes_back_across_a_compaction() -> None:
    def said(turn: int, text: str) -> PromptAdded:
        return PromptAdded(turn=turn, message=Message(role="user", blocks=(TextBlock(text=text),)))

    facts: list[Fact] = [said(1, "one"), said(2, "two"), Compacted(turn=3, summary="s"), said(3, "three")]
    back = Conversation([*facts, Rewound(turn=4, to_turn=1)])
    assert [b.text for m in back.messages() for b in m.blocks if isinstance(b, TextBlock)] == ["one"]
