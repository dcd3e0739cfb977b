"""Facts to test with: whole turns, and any fact at all."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from rein_tui.harness.protocol import events as e
from rein_tui.harness.protocol.decisions import Decision, PermissionReply, PermissionRequest
from rein_tui.harness.protocol.displays import TextDisplay
from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.events import Fact
from rein_tui.harness.protocol.messages import ImageBlock, Message, TextBlock, ThinkingBlock, ToolUseBlock, Usage
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.store.store import Store


def user(text: str) -> Message:
    return Message(role="user", blocks=(TextBlock(text=text),))


def a_turn(turn: int, prompt: str, answer: str = "done", result: str = "ok") -> list[Fact]:
    """One whole turn with one call."""
    call = f"call_{turn}"
    use = ToolUseBlock(id=call, name="Bash", input={"command": "ls"})
    words: list[Fact] = [
        e.TurnStarted(text=prompt),
        e.PromptAdded(message=user(prompt)),
        e.MessageFinished(
            step=1,
            stop_reason="tool_use",
            message=Message(role="assistant", blocks=(TextBlock(text=answer), use), id=f"msg_{turn}"),
            usage=Usage(input_tokens=10, output_tokens=5, cost_usd=0.25),
            model="claude-x",
        ),
        e.ToolCallRequested(call_id=call, name="Bash", input={"command": "ls"}, summary="ls"),
        e.ToolCallStarted(call_id=call, name="Bash", input={"command": "ls"}),
        e.ToolCallFinished(call_id=call, name="Bash", outcome="ok", content=result, response={"stdout": result}),
        e.TurnFinished(),
    ]
    return [msgspec.structs.replace(fact, turn=turn, time=1000.0 + turn) for fact in words]


def fill(store: Store, *prompts: str, cwd: str = "/p", headless: bool = False, result: str = "ok") -> str:
    """A stored, closed session with these prompts."""
    journal = store.create(SessionInfo(id="", cwd=cwd), headless=headless)
    journal.append(e.SessionStarted(session_id=journal.session_id, cwd=cwd, branch="main", time=1000.0))
    for turn, prompt in enumerate(prompts, 1):
        for fact in a_turn(turn, prompt, result=result):
            journal.append(fact)
    journal.append(e.SessionEnded())
    journal.close()
    return journal.session_id


_text = st.text(max_size=20)
_json: "st.SearchStrategy[Any]" = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=5,
)
_input = st.dictionaries(_text, _json, max_size=3)
_ids = st.sampled_from(["c1", "c2", "c3"])
_block = st.one_of(
    st.builds(TextBlock, text=_text),
    st.builds(ThinkingBlock, thinking=_text, signature=_text),
    st.builds(ImageBlock, media_type=st.just("image/png"), data=st.just("AAAA")),
    st.builds(ToolUseBlock, id=_ids, name=st.just("Bash"), input=_input),
)
_user = st.builds(
    Message, role=st.just("user"), blocks=st.lists(st.builds(TextBlock, text=_text), max_size=2).map(tuple)
)
_assistant = st.builds(Message, role=st.just("assistant"), blocks=st.lists(_block, max_size=3).map(tuple), id=_text)
_base: dict[str, Any] = {
    "time": st.floats(0, 4e9),
    "turn": st.integers(0, 5),
    "parent": st.sampled_from(["", "", "", "c1"]),
}
_request = st.builds(
    PermissionRequest,
    id=_ids,
    call_id=_ids,
    tool=st.just("Bash"),
    input=_input,
    summary=_text,
    decision=st.builds(Decision, outcome=st.just("ask"), reason=_text, decided_by=st.just("default")),
)

facts: "st.SearchStrategy[Fact]" = st.one_of(
    st.builds(e.SessionStarted, session_id=st.just("s"), cwd=_text, branch=_text, **_base),
    st.builds(e.SessionEnded, **_base),
    st.builds(e.TurnStarted, text=_text, **_base),
    st.builds(e.PromptAdded, message=_user, origin=st.sampled_from(["prompt", "hook", "memory"]), **_base),
    st.builds(e.MessageFinished, step=st.just(1), message=_assistant, stop_reason=st.just("end_turn"), **_base),
    st.builds(e.ToolCallRequested, call_id=_ids, name=_text, input=_input, summary=_text, **_base),
    st.builds(e.ToolCallStarted, call_id=_ids, name=_text, input=_input, **_base),
    st.builds(
        e.ToolCallFinished,
        call_id=_ids,
        name=_text,
        outcome=st.sampled_from(["ok", "error", "denied"]),
        content=_text | st.lists(st.builds(TextBlock, text=_text), max_size=2).map(tuple),
        display=st.none() | st.builds(TextDisplay, text=_text),
        response=st.none() | _input,
        added=st.lists(_text, max_size=2).map(tuple),
        **_base,
    ),
    st.builds(e.PermissionRequested, request=_request, **_base),
    st.builds(
        e.PermissionResolved,
        request_id=_ids,
        call_id=_ids,
        reply=st.builds(PermissionReply, answer=st.just("once")),
        **_base,
    ),
    st.builds(e.Compacted, summary=_text, kept=st.lists(_user | _assistant, max_size=2).map(tuple), **_base),
    st.builds(e.Rewound, to_turn=st.integers(0, 5), **_base),
    st.builds(e.TitleChanged, title=_text, by=st.sampled_from(["model", "person", "first_words"]), **_base),
    st.builds(e.AgentStarted, agent_id=_ids, agent_type=_text, prompt=_text, **_base),
    st.builds(e.Notice, text=_text, **_base),
    st.builds(e.TurnFinished, **_base),
    st.builds(e.TurnFailed, failure=st.builds(Failure, message=_text), **_base),
    st.builds(e.TurnInterrupted, **_base),
)
"""Any fact, with any parts."""
