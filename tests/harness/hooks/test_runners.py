"""Prompt, agent, HTTP and MCP handlers; HTTP against a real server on loopback."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rein_tui.harness.hooks.context import HookSwitches
from rein_tui.harness.hooks.runners.http import is_url_allowed
from rein_tui.harness.hooks.runners.prompt import fill_prompt
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.errors import ProviderError, ReinError
from rein_tui.harness.protocol.events import HooksSkipped
from rein_tui.harness.protocol.hooks import HookOutcome, HookPoint

from .conftest import Bench

Ask = Callable[[str, str, JsonObject], Awaitable[JsonObject]]


def answering(answer: JsonObject, asked: list[tuple[str, str]] | None = None) -> Ask:
    """A model that always says this."""

    async def ask(prompt: str, model: str, schema: JsonObject) -> JsonObject:
        assert schema["required"] == ["ok"]
        if asked is not None:
            asked.append((prompt, model))
        return answer

    return ask


NO = {"ok": False, "reason": "not like this"}


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ("PreToolUse", {"verdict": "deny", "reason": "not like this", "stop": True}),
        ("PostToolUse", {"feedback": ("not like this",), "stop": True}),
        ("PostToolUseFailure", {"feedback": ("not like this",), "stop": False}),
        ("UserPromptSubmit", {"blocked": True, "reason": "not like this"}),
        ("UserPromptExpansion", {"blocked": True, "reason": "not like this"}),
        ("PostToolBatch", {"blocked": True, "reason": "not like this"}),
        ("Stop", {"blocked": True, "reason": "not like this", "stop": False}),
        ("SubagentStop", {"blocked": True, "reason": "not like this"}),
        ("PermissionRequest", {"permission": None, "verdict": None, "blocked": False}),
    ],
)
async def test_a_models_no(bench: Bench, point: HookPoint, expected: JsonObject) -> None:
    bench.context.ask_model = answering(NO)
    outcome = await bench.run({"type": "prompt", "prompt": "Is it fine?"}, point=point)
    assert {key: getattr(outcome, key) for key in expected} == expected


async def test_a_models_yes_decides_nothing(bench: Bench) -> None:
    asked: list[tuple[str, str]] = []
    bench.context.ask_model = answering({"ok": True}, asked)
    outcome = await bench.run({"type": "prompt", "prompt": "Fine? $ARGUMENTS", "model": "small"})
    assert (outcome.verdict, outcome.runs[0].result) == (None, "nothing")
    ((prompt, model),) = asked
    assert model == "small"
    assert '"tool_name":"Bash"' in prompt


async def test_going_on_after_a_no(bench: Bench) -> None:
    bench.context.ask_model = bench.context.run_agent = answering(NO)
    prompt = await bench.run({"type": "prompt", "prompt": "x", "continueOnBlock": True})
    agent = await bench.run({"type": "agent", "prompt": "x"})
    assert [(o.verdict, o.stop) for o in (prompt, agent)] == [("deny", False)] * 2


async def test_an_impossible_condition_lets_the_turn_end(bench: Bench) -> None:
    bench.context.ask_model = answering(NO | {"impossible": True})
    outcome = await bench.run({"type": "prompt", "prompt": "x"}, point="Stop")
    assert (outcome.blocked, outcome.messages) == (False, ("not like this",))


def failing(error: Exception) -> Ask:
    async def ask(prompt: str, model: str, schema: JsonObject) -> JsonObject:
        raise error

    return ask


async def hanging(prompt: str, model: str, schema: JsonObject) -> JsonObject:
    await asyncio.Event().wait()
    return {}


@pytest.mark.parametrize(
    ("ask", "result"),
    [
        (None, "failed"),
        (failing(ProviderError("overloaded", kind="overloaded")), "failed"),
        (failing(ValueError("prose")), "bad_output"),
        (answering({"ok": "yes"}), "bad_output"),
        (answering({}), "bad_output"),
        (hanging, "timeout"),
    ],
)
async def test_models_that_do_not_answer(bench: Bench, ask: Ask | None, result: str) -> None:
    bench.context.ask_model = ask
    gate = await bench.run({"type": "prompt", "prompt": "x", "timeout": 0.2})
    stop = await bench.run({"type": "prompt", "prompt": "x", "timeout": 0.2}, point="Stop")
    assert (gate.verdict, gate.runs[0].result) == ("ask", result)
    assert (stop.blocked, stop.runs[0].result) == (False, result)


@pytest.mark.parametrize(
    ("prompt", "filled"),
    [
        ("see $ARGUMENTS!", "see {}!"),
        ("see", "see\n\n{}"),
        (r"costs \$5", "costs $5\n\n{}"),
        (r"\$ARGUMENTS and $ARGUMENTS", "$ARGUMENTS and {}"),
    ],
)
def test_prompt_placeholders(prompt: str, filled: str) -> None:
    assert fill_prompt(prompt, "{}") == filled


async def test_mcp_tools(bench: Bench) -> None:
    calls: list[Any] = []

    async def call_mcp(server: str, tool: str, tool_input: JsonObject) -> tuple[str, bool]:
        calls.append((server, tool, tool_input))
        if tool == "lost":
            raise ReinError("the server is not connected")
        return ('{"decision":"block","reason":"by mcp"}', False) if tool == "check" else ("broke", True)

    bench.context.call_mcp = call_mcp
    entry = {"type": "mcp_tool", "server": "s", "tool": "check", "input": {"path": "${tool_input.command}", "n": [1]}}
    outcome = await bench.run(entry)
    assert (outcome.verdict, outcome.reason) == ("deny", "by mcp")
    assert calls == [("s", "check", {"path": "ls", "n": [1]})]
    for tool in ("lost", "other"):
        outcome = await bench.run(entry | {"tool": tool})
        assert (outcome.verdict, outcome.runs[0].result) == ("ask", "failed")
    bench.context.call_mcp = None
    assert (await bench.run(entry)).runs[0].reason == "no MCP server is connected"


@asynccontextmanager
async def serving(status: str, body: bytes, seen: list[bytes]) -> AsyncGenerator[str]:
    """A server on loopback that answers everything alike."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        seen.append(head + await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"


@pytest.mark.parametrize(
    ("status", "body", "verdict", "result"),
    [
        ("200 OK", b"", None, "nothing"),
        ("204 No Content", b"", None, "nothing"),
        ("200 OK", b'{"decision":"block","reason":"by http"}', "deny", "deny"),
        ("200 OK", b"fine", "ask", "bad_output"),
        ("200 OK", b"[]", "ask", "bad_output"),
        ("200 OK", b'{"a":', "ask", "bad_output"),
        ("200 OK", b"{" + b" " * 1_200_000, "ask", "bad_output"),
        ("403 Forbidden", b'{"decision":"block"}', "ask", "failed"),
        ("302 Found", b"", "ask", "failed"),
        ("500 Oops", b"", "ask", "failed"),
    ],
)
async def test_http(bench: Bench, status: str, body: bytes, verdict: str | None, result: str) -> None:
    seen: list[bytes] = []
    async with serving(status, body, seen) as url:
        outcome = await bench.run({"type": "http", "url": url})
    assert (outcome.verdict, outcome.runs[0].result) == (verdict, result)
    (request,) = seen
    assert json.loads(request.partition(b"\r\n\r\n")[2])["tool_name"] == "Bash"


async def test_http_headers_fill_only_what_is_allowed(bench: Bench) -> None:
    bench.context.ambient = {"A": "one", "B": "two", "C": "three"}
    bench.context.switches = HookSwitches(http_env_vars=("A", "C"))
    seen: list[bytes] = []
    async with serving("200 OK", b"", seen) as url:
        headers = {"X-Test": "$A ${B} $C.", "X-Key": "Bearer $B"}
        await bench.run({"type": "http", "url": url, "headers": headers, "allowedEnvVars": ["A", "B"]})
    assert b"\r\nx-test: one  .\r\n" in seen[0].lower()
    assert b"\r\nx-key: bearer\r\n" in seen[0].lower()


async def test_http_headers_know_what_settings_add_to_the_environment(bench: Bench) -> None:
    bench.context.environment = lambda: {"TOKEN": "from settings"}
    seen: list[bytes] = []
    async with serving("200 OK", b"", seen) as url:
        headers = {"X-Test": "$TOKEN"}
        await bench.run({"type": "http", "url": url, "headers": headers, "allowedEnvVars": ["TOKEN"]})
    assert b"\r\nx-test: from settings\r\n" in seen[0].lower()


async def test_http_that_cannot_connect(bench: Bench) -> None:
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    outcome = await bench.run({"type": "http", "url": f"http://127.0.0.1:{port}/"})
    assert (outcome.verdict, outcome.runs[0].result) == ("ask", "failed")
    assert (await bench.run({"type": "http", "url": "nonsense"})).runs[0].result == "failed"


async def test_http_urls_that_policy_does_not_allow(bench: Bench) -> None:
    bench.context.switches = HookSwitches(allowed_http_urls=("https://hooks.example.com/*",))
    outcome: HookOutcome = await bench.run({"type": "http", "url": "http://127.0.0.1:1/"})
    (skipped,) = [event for event in bench.events if isinstance(event, HooksSkipped)]
    assert (outcome.runs, skipped.skipped[0].reason) == ((), "http://127.0.0.1:1/ is not in allowedHttpHookUrls")


@pytest.mark.parametrize(
    ("url", "patterns", "allowed"),
    [
        ("https://a.com/x", None, True),
        ("https://a.com/x", (), False),
        ("https://A.com./x", ("https://a.com/*",), True),
        ("https://a.com.evil.org/x", ("https://a.com/*",), False),
        ("https://a.com@evil.org/x", ("https://a.com*",), False),
        ("https://a.com/x", ("https://a.com*",), True),
        ("https://a.com@evil.org/x", ("https://a.com/*",), False),
        ("http://a.com/x", ("https://*",), False),
        ("https://x.a.com/y", ("https://*.a.com/*",), True),
        ("http://localhost:8080/hook", ("http://localhost:*",), True),
        ("https://a.com", ("https://a.com/",), True),
    ],
)
def test_url_patterns(url: str, patterns: tuple[str, ...] | None, allowed: bool) -> None:
    assert is_url_allowed(url, patterns) is allowed
