"""The escape corpus: foreign text in every channel of the screen, as segments and as bytes on a real terminal.

`--corpus DIR` runs another folder of the same file names.
"""

import ast
import asyncio
import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pyte
import pytest
from textual.app import App, ComposeResult

from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.displays import CommandDisplay, DiffDisplay, Hunk
from rein_tui.harness.protocol.hooks import HookRun, HookSpec
from rein_tui.harness.protocol.messages import TextBlock
from rein_tui.widgets.chat import Chat
from rein_tui.widgets.safe import safe_text

from .chat_stories import call, message

pytestmark = pytest.mark.corpus

FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2060-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)


def generated(expression: str) -> str:
    """The text of a `text_gen`: string literals, `+` and `*` alone."""

    def value(node: ast.AST) -> Any:
        match node:
            case ast.Expression():
                return value(node.body)
            case ast.Constant():
                return node.value
            case ast.BinOp(op=ast.Add()):
                return value(node.left) + value(node.right)
            case ast.BinOp(op=ast.Mult()):
                return value(node.left) * value(node.right)
            case ast.Call(func=ast.Attribute(attr="join"), args=[argument]) if isinstance(node.func, ast.Attribute):
                return value(node.func.value).join(value(argument))
            case _:
                raise ValueError(f"{type(node).__name__} in {expression!r}")

    return value(ast.parse(expression, mode="eval"))


def cases(folder: Path) -> list[dict[str, Any]]:
    """The corpus with its texts made."""
    lines = (folder / "escape_output.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines if line.strip()]
    for case in found:
        if "text_gen" in case:
            case["text"] = generated(case["text_gen"])
    return found


def story(case: dict[str, Any]) -> list[ev.Event]:
    """Events that bring the text to the screen by way of its channel."""
    text, channel = case["text"], case["channel"]
    started = ev.ToolCallStarted(call_id="c", name="Bash")
    asked = ev.ToolCallRequested(call_id="c", name="Bash", summary="Bash x")
    match channel:
        case "model_text":
            half = len(text) // 2
            return [
                ev.TextDelta(text=text[:half]),
                ev.TextDelta(text=text[half:]),
                message(TextBlock(text=text)),
            ]
        case "tool_output":
            display = CommandDisplay(command="x", output=text, exit_code=0)
            finished = ev.ToolCallFinished(call_id="c", name="Bash", outcome="ok", content=text, display=display)
            return [asked, started, ev.ToolOutputDelta(call_id="c", text=text), finished]
        case "permission_prompt":
            display = CommandDisplay(command=text)
            finished = ev.ToolCallFinished(call_id="c", name="Bash", outcome="ok", display=display)
            return [ev.ToolCallRequested(call_id="c", name="Bash", summary=f"Bash {text[:100]}"), started, finished]
        case "file_name":
            hunk = Hunk(old_start=1, old_lines=0, new_start=1, new_lines=1, lines=("+" + text,))
            display = DiffDisplay(path=text, hunks=(hunk,), added=1, removed=0)
            finished = ev.ToolCallFinished(call_id="c", name="Write", outcome="ok", display=display)
            return [ev.ToolCallRequested(call_id="c", name="Write", summary=f"Write {text}"), started, finished]
        case "hook_message":
            spec = HookSpec(
                id="h", point="Stop", handler="command", config={"command": "x.sh"}, source=Source(layer="project")
            )
            run = HookRun(id="r", hook=spec, started=0, duration=0.1, result="message", message=text)
            return [ev.HookFired(run=run)]
        case _:
            return [ev.Notice(text=text), ev.TurnStarted(text=text), *call("d", inside=[ev.Notice(text=text)])]


class Pane(App[None]):
    """A chat alone, in full density."""

    def compose(self) -> ComposeResult:
        yield Chat()


def check(case: dict[str, Any], shown: str) -> None:
    """The corpus' expectations of what is visible, wrapping aside."""
    expect = case["expect"]
    allowed = {chr(int(code, 16)) for code in expect.get("allow_codepoints", [])}
    bad = [hex(ord(c)) for c in FORBIDDEN.findall(shown) if c not in allowed]
    assert not bad, case["id"]
    flat = re.sub(r"\s", "", shown)
    for text in expect["plain_contains"]:
        assert re.sub(r"\s", "", text) in flat, (case["id"], text)
    for text in expect["plain_not_contains"]:
        assert re.sub(r"\s", "", text) not in flat, (case["id"], text)
    for code in expect.get("must_show_marker_for", []):
        assert f"<{code}>" in flat, (case["id"], code)
    if "must_reveal_full_or_count" in expect:
        assert "spaces>" in flat, case["id"]
    if "must_show_source_label" in expect:
        assert "x.sh" in flat, case["id"]


async def test_segments(corpus_folder: Path) -> None:
    app = Pane()
    async with app.run_test(size=(100, 40)) as pilot:
        chat = app.query_one(Chat)
        chat.density = "full"
        for case in cases(corpus_folder):
            chat.load([])
            started = time.process_time()
            for event in story(case):
                await chat.apply(event)
            chat.surface.flush()
            await pilot.pause()
            took = time.process_time() - started
            assert took * 1000 < case["expect"].get("max_render_ms", 3000) * 3, case["id"]
            strips = app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
            shown = "\n".join(segment.text for strip in strips for segment in strip)
            kept = [line.body.plain for entry in chat.surface.stack for line in chat.surface.lines_of(entry)[:500]]
            assert not FORBIDDEN.search(shown.replace("\n", "").replace("\u200d", "")), case["id"]
            gutters = [line.gutter.plain for entry in chat.surface.stack for line in chat.surface.lines_of(entry)[:500]]
            check(case, "".join(gutters) + "\n".join(kept))
            for entry in chat.surface.stack:
                for line in chat.surface.lines_of(entry)[:500]:
                    for span in line.body.spans:
                        meta = {} if isinstance(span.style, str) else dict(span.style.meta)
                        assert set(meta) <= {"link"}, case["id"]
                        scheme = str(meta.get("link", "https:")).partition(":")[0]
                        assert scheme in {"http", "https", "mailto"}, case["id"]


@pytest.mark.parametrize("channel", ["output", "markdown", "label", "prompt", "diff", "path"])
def test_every_channel_is_harmless_for_every_text(corpus_folder: Path, channel: Any) -> None:
    for case in cases(corpus_folder):
        safe = safe_text(case["text"][:200_000], channel)
        left = FORBIDDEN.findall(safe.replace("\n", "").replace("\t", "").replace("\u200d", ""))
        assert not left, case["id"]


# --- on a real terminal -------------------------------------------------------------------------------------

SEQUENCES = re.compile(
    rb"\x1b\[[0-9;:]*m"  # colours
    rb"|\x1b\[[0-9;]*H"  # moves
    rb"|\x1b\[\?(?:1049|1000|1002|1003|1004|1006|1015|1016|2004|2026|2048|25|7|12)(?:;\d+)*(?:h|l|\$p)"  # modes
    rb"|\x1b\[[<>=]?[0-9;]*u|\x1b\[\?u"  # keyboard protocol
    rb"|\x1b\[[0-9]* ?q|\x1b\[>[0-9;]*[mq]|\x1b\[[0-9;]*t"
    rb"|\x1b\]22;[a-z-]*(?:\x07|\x1b\\)"  # pointer shape
    rb"|\x1b\[c|\x1b\[2J|\x1b\[J|\x1b\[K|\x1b[78]|\x1bP\+q[0-9a-fA-F;]*\x1b\\"
)


class Terminal:
    """A child on a pty: its bytes, and what a terminal makes of them."""

    def __init__(self, arguments: list[str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self._slave = slave
        self._arguments = arguments
        self.data = b""

    async def run(self) -> int:
        """Start the child and read it to its end."""
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"}
        child = await asyncio.create_subprocess_exec(
            *self._arguments, stdin=self._slave, stdout=self._slave, stderr=self._slave, env=environment
        )
        os.close(self._slave)
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def read() -> None:
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:
                data = b""
            self.data += data
            if not data:
                loop.remove_reader(self.master)
                done.set()

        loop.add_reader(self.master, read)
        try:
            code = await asyncio.wait_for(child.wait(), 120)
            await asyncio.wait_for(done.wait(), 10)
        finally:
            loop.remove_reader(self.master)
            os.close(self.master)
            if child.returncode is None:
                child.kill()
                await child.wait()
        return code


@pytest.mark.pty
async def test_bytes_on_a_terminal(corpus_folder: Path) -> None:
    terminal = Terminal([sys.executable, "-m", "tests.widgets.escape_screen", str(corpus_folder)])
    assert await terminal.run() == 0, terminal.data[-2000:]
    left = SEQUENCES.sub(b"", terminal.data).decode(errors="replace")
    text = left.replace("\r", "").replace("\n", "").replace("\x0f", "").replace("\u200d", "")
    assert not [hex(ord(c)) for c in FORBIDDEN.findall(text)][:10]
    screen = pyte.Screen(100, 40)
    stream = pyte.ByteStream(screen)
    unknown_to_pyte = rb"\x1b\[[<>=][0-9;]*[a-z]|\x1b\]22;[a-z-]*(?:\x07|\x1b\\)"
    stream.feed(re.sub(unknown_to_pyte, b"", terminal.data.split(b"\x1b[?1049l")[0]))
    assert screen.title == ""
    shown = "\n".join(screen.display)
    assert "the end of the corpus" in shown
