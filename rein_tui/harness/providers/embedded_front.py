"""A door before llama.cpp for models that seldom start a call by themselves: it starts the call for them.

When the last word is the user's and tools are offered, the answer is begun with the opening tag of a call and a
call is required, so that llama.cpp's grammar holds from the first token on and the call is valid. After a result
the model answers in prose. Only the decision to call is forced; every token is the model's own.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

OPENING = "<tool_call>\n"
_CHAT, _MESSAGES = "/v1/chat/completions", "/v1/messages"

TEMPLATE = r"""
{%- if tools %}
    {{- '<|im_start|>system\n' + (messages[0]['content'] if messages[0]['role'] == 'system' else '') }}
    {{- "\n\nYou can call functions. Their signatures are in <tools></tools>:\n<tools>" }}
    {%- for tool in tools %}{{- "\n" }}{{- tool | tojson }}{%- endfor %}
    {{- "\n</tools>\n\nTo call one, answer with its name and arguments:\n<tool_call>\n" }}
    {{- '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n' }}
{%- elif messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == "tool" %}
        {%- if loop.index0 == 0 or messages[loop.index0 - 1].role != "tool" %}{{- '<|im_start|>user' }}{%- endif %}
        {{- '\n<tool_response>\n' + message.content + '\n</tool_response>' }}
        {%- if loop.last or messages[loop.index0 + 1].role != "tool" %}{{- '<|im_end|>\n' }}{%- endif %}
    {%- elif message.role == "assistant" and message.tool_calls %}
        {{- '<|im_start|>assistant' }}
        {%- if message.content %}{{- '\n' + message.content }}{%- endif %}
        {%- for call in message.tool_calls %}
            {%- if call.function is defined %}{%- set call = call.function %}{%- endif %}
            {{- '\n<tool_call>\n{"name": "' + call.name + '", "arguments": ' }}
            {{- call.arguments | tojson }}{{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role != "system" or not loop.first %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
"""
"""ChatML with Hermes tool calls, for models whose own template has no tools."""


def force_call(path: str, body: bytes) -> bytes:
    """The request with its call begun, where one is due. Whatever is not understood passes unchanged."""
    path = path.partition("?")[0]
    if path not in {_CHAT, _MESSAGES}:
        return body
    try:
        request = cast(dict[str, Any], json.loads(body))
        last = request["messages"][-1]
        if not request.get("tools"):
            return body
        chat = path == _CHAT
        if last["role"] == "user" and not _holds_result(last.get("content")):
            request["tool_choice"] = "required" if chat else {"type": "any"}
            request["messages"].append({"role": "assistant", "content": OPENING})
            stop = "stop" if chat else "stop_sequences"
            request[stop] = [*(request.get(stop) or []), "\n" + OPENING.strip()]  # one call an answer
        else:
            request["tool_choice"] = "none" if chat else {"type": "none"}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return body
    return json.dumps(request).encode()


def _holds_result(content: object) -> bool:
    blocks = cast(list[Any], content) if isinstance(content, list) else []
    return any(cast(dict[str, Any], b).get("type") == "tool_result" for b in blocks if isinstance(b, dict))


@asynccontextmanager
async def open_front(upstream: int) -> AsyncGenerator[int]:
    """The door on a free loopback port, which it gives; `upstream` is llama.cpp's."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            await _pass_on(reader, writer, upstream)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: int) -> None:
    """One request a connection; the answer's bytes pass as they are."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    lines = [line for line in head[1:] if line]
    length = next((line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")), "0")
    body = await reader.readexactly(int(length))
    method, target, _ = head[0].split(" ", 2)
    if method == "POST":
        body = force_call(target, body)
    dropped = ("content-length:", "connection:", "host:", "accept-encoding:")
    kept = [line for line in lines if not line.lower().startswith(dropped)]
    sent = [f"{method} {target} HTTP/1.1", f"host: 127.0.0.1:{upstream}", *kept]
    sent += [f"content-length: {len(body)}", "connection: close"]
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", upstream)
    try:
        up_writer.write("\r\n".join(sent).encode("latin-1") + b"\r\n\r\n" + body)
        await up_writer.drain()
        await _until_either_ends(reader, up_reader, writer)
    finally:
        up_writer.close()  # which makes llama.cpp stop generating


async def _until_either_ends(
    reader: asyncio.StreamReader, up_reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    async def answer() -> None:
        while data := await up_reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def listen() -> None:
        await reader.read(1)  # ends when the client goes away

    tasks = (asyncio.create_task(answer()), asyncio.create_task(listen()))
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
