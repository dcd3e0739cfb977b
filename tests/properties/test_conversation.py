"""The invariant of the conversation, under random stories."""

from hypothesis import given, settings
from hypothesis import strategies as st

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
    Message,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
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
                block.text.encode()
            if isinstance(block, ThinkingBlock):
                assert block.signature
        uses = [use.id for use in message.tool_uses]
        if uses:
            answers = [b for b in messages[position + 1].blocks if isinstance(b, ToolResultBlock)]
            assert [a.tool_use_id for a in answers] == uses
            assert list(messages[position + 1].blocks[: len(answers)]) == list(answers)
    results = [b.tool_use_id for m in messages for b in m.blocks if isinstance(b, ToolResultBlock)]
    assert len(results) == sum(len(m.tool_uses) for m in messages)


def unique_uses(ids: list[str], text: str, serial: int) -> tuple[Block, ...]:
    return (TextBlock(text=text), *(ToolUseBlock(id=f"{i}{serial}", name="Read") for i in dict.fromkeys(ids)))


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    facts: list[Fact] = []
    serial = 0
    for turn in range(1, draw(st.integers(1, 5)) + 1):
        facts.append(PromptAdded(turn=turn, message=Message(role="user", blocks=(TextBlock(text=draw(TEXT)),))))
        for _ in range(draw(st.integers(0, 3))):
            serial += 1
            blocks = unique_uses(draw(st.lists(IDS, max_size=3)), draw(TEXT), serial)
            if draw(st.booleans()):
                blocks = (ThinkingBlock(thinking="hm", signature=draw(st.sampled_from(["", "s"]))), *blocks)
            facts.append(
                MessageFinished(
                    turn=turn, step=1, message=Message(role="assistant", blocks=blocks), stop_reason="tool_use"
                )
            )
            for call in draw(st.permutations([b.id for b in blocks if isinstance(b, ToolUseBlock)])):
                if draw(st.integers(0, 5)):
                    facts.append(ToolCallFinished(turn=turn, call_id=call, name="Read", outcome="ok", content="r"))
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
    st.builds(ThinkingBlock, thinking=TEXT, signature=st.sampled_from(["", "s"])),
    st.builds(ToolResultBlock, tool_use_id=IDS, content=TEXT),
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
