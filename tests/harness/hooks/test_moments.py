"""What moments of whole sessions are told when several things come together: subagents, edits, loops, first runs."""

import json
from contextlib import aclosing
from pathlib import Path

from rein_tui.harness.hooks.result_shapes import api_content, tool_response
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.events import HookFired, TurnFinished
from rein_tui.harness.protocol.messages import ImageBlock, TextBlock
from rein_tui.harness.protocol.models import ModelRequest
from rein_tui.harness.providers.scripted import ScriptedCall, Step
from tests.harness.plugins.sessions import DONE, Stage, bash, staged

TRUE: JsonObject = {"type": "command", "command": "true"}


def configure(places: Places, **handlers: JsonObject) -> None:
    places.config.mkdir(parents=True, exist_ok=True)
    hooks = {point: [{"hooks": [handler]}] for point, handler in handlers.items()}
    places.user_settings.write_text(json.dumps({"hooks": hooks}))


def told(stage: Stage, point: str) -> list[JsonObject]:
    runs = [e.run for e in stage.events if isinstance(e, HookFired) and e.run.hook.point == point]
    return [json.loads(run.stdin) for run in runs]


async def test_the_first_hook_finds_the_transcript_that_it_is_told_of(places: Places, tmp_path: Path) -> None:
    find = """sed -n 's/.*"transcript_path":"\\([^"]*\\)".*/\\1/p'"""
    configure(places, SessionStart={"type": "command", "command": f'test -f "$({find})" && echo it is there'})
    async with staged(places, tmp_path, [DONE]) as stage:
        await stage.say("hello")
    (run,) = (e.run for e in stage.events if isinstance(e, HookFired))
    assert run.context == "it is there"


async def test_a_session_in_which_nothing_was_said_leaves_no_transcript(places: Places, tmp_path: Path) -> None:
    configure(places, SessionStart=TRUE)
    async with staged(places, tmp_path, [DONE]) as stage:
        async with aclosing(stage.session.start()) as events:
            stage.events += [event async for event in events]
        (start,) = told(stage, "SessionStart")
        assert Path(start["transcript_path"]).read_bytes() == b""
    assert not Path(start["transcript_path"]).exists()


async def test_a_batch_is_told_as_it_ran_and_in_order(places: Places, tmp_path: Path) -> None:
    own = {"hookEventName": "PreToolUse", "updatedInput": {"file_path": str(tmp_path / "b.txt")}}
    rewrite = {"type": "command", "command": f"grep -q a.txt && echo '{json.dumps({'hookSpecificOutput': own})}'; true"}
    configure(places, PreToolUse=rewrite, PostToolBatch=TRUE)
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(name)
    reads = [ScriptedCall(name="Read", input={"file_path": f"{name}.txt"}) for name in "cab"]
    async with staged(places, tmp_path, [Step(calls=tuple(reads)), DONE]) as stage:
        await stage.say("read")
    ((batch,),) = [[payload["tool_calls"] for payload in told(stage, "PostToolBatch")]]
    assert [Path(call["tool_input"]["file_path"]).name for call in batch] == ["c.txt", "b.txt", "b.txt"]
    assert [call["tool_response"].split()[-1] for call in batch] == ["c", "b", "b"]


async def test_a_batch_of_a_subagent_says_whose_it_is(places: Places, tmp_path: Path) -> None:
    configure(places, PostToolBatch=TRUE)
    look = ScriptedCall(name="Agent", input={"description": "x", "prompt": "x", "subagent_type": "general-purpose"})
    async with staged(places, tmp_path, [Step(calls=(look,)), bash("true"), DONE, DONE], allow=("Bash",)) as stage:
        await stage.say("go")
    inside, outside = told(stage, "PostToolBatch")
    assert (inside["agent_type"], bool(inside["agent_id"])) == ("general-purpose", True)
    assert "agent_id" not in outside


async def test_calls_between_do_not_forgive_a_stop_hook_that_never_lets_go(places: Places, tmp_path: Path) -> None:
    configure(places, Stop={"type": "command", "command": "echo more >&2; exit 2"}, PostToolBatch=TRUE)

    def respond(request: ModelRequest) -> Step:
        is_answered = request.messages[-1].blocks[0].__class__.__name__ == "ToolResultBlock"
        return DONE if is_answered else bash("true")

    async with staged(places, tmp_path, respond, allow=("Bash",)) as stage:
        stage.session.parts.stop_hook_cap, stage.session.parts.max_steps = 2, 20
        await stage.say("go")
    assert [payload["stop_hook_active"] for payload in told(stage, "Stop")] == [False, True, True]
    assert [e.reason for e in stage.events if isinstance(e, TurnFinished)] == ["end_turn"]


def test_results_have_the_shapes_that_hooks_know() -> None:
    blocks = (TextBlock(text="hi"), ImageBlock(media_type="image/png", data="AAAA"))
    text = {"type": "text", "text": "hi"}
    assert tool_response("mcp__s__t", {"content": [text], "structuredContent": {}}, blocks) == [text]
    assert tool_response("Own", {"content": [text]}, blocks) == {"content": [text]}
    assert tool_response("Own", None, blocks) == {"content": "hi"}
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    assert api_content(blocks, ["more"]) == [
        text,
        {"type": "image", "source": source},
        {"type": "text", "text": "more"},
    ]
