"""What a local server is and which models it has, by asking it: no list of names decides anything.

Each flavour is told by an address that only it answers. Everything is asked side by side, so that a server on
this machine is known within milliseconds.
"""

import asyncio

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError
from ..protocol.models import ModelInfo
from ..protocol.workbench import FoundServer
from .failures import malformed_error
from .http import HttpServer
from .strict_json import child, children, number, strings, text

PATIENCE = 1.0
"""Seconds that each question may take."""

LOADING = "loading"
"""The flavour of a server that lists its model and does not serve it yet: what it is, it cannot say."""

_QUESTIONS = ("/v1/models", "/props", "/api/version", "/api/v1/models", "/api/v0/models", "/version", "/system")


async def look(server: HttpServer, within: float = PATIENCE) -> FoundServer:
    """The server with its flavour and models. Raises ProviderError when nothing answers as a model server."""
    replies = await asyncio.gather(*(_ask(server, path, within) for path in _QUESTIONS))
    known = dict(zip(_QUESTIONS, replies, strict=True))
    answers = {path: reply for path, reply in known.items() if isinstance(reply, dict)}
    if not answers:
        failure = known["/v1/models"]
        assert isinstance(failure, ProviderError)
        raise failure
    if "version" in answers.get("/api/version", {}):
        return await _ollama(server, text(answers["/api/version"], "version"), within)
    if any(isinstance(reply, ProviderError) and reply.kind == "unavailable" for reply in replies):
        listed = children(answers.get("/v1/models", {}), "data")
        return FoundServer(url=server.root, flavour=LOADING, models=_plain(listed, server.root))
    return _others(server.root, answers)


async def _ask(server: HttpServer, path: str, within: float) -> JsonObject | ProviderError:
    try:
        reply = await server.get(path, within)
    except ProviderError as error:
        return error
    if reply.get("error"):  # LM Studio answers 200 to every address, and says so
        return malformed_error(server.origin, f"there is no {path}", retryable=False)
    return reply


def _others(url: str, answers: dict[str, JsonObject]) -> FoundServer:
    listed = children(answers.get("/v1/models", {}), "data")
    if props := answers.get("/props"):
        return FoundServer(
            url=url,
            flavour="llamacpp",
            version=text(props, "build_info"),
            models=tuple(_llamacpp(entry, props, url) for entry in listed),
        )
    for path in ("/api/v1/models", "/api/v0/models"):
        entries = children(answers.get(path, {}), "models") or children(answers.get(path, {}), "data")
        if any("max_context_length" in entry for entry in entries):  # gateways answer here too, but not with this
            able = [entry for entry in entries if not text(entry, "type").startswith("embedding")]
            return FoundServer(url=url, flavour="lmstudio", models=tuple(_lmstudio(entry, url) for entry in able))
    version = text(answers.get("/version", {}), "version")
    if any(text(entry, "owned_by") == "vllm" for entry in listed):
        return FoundServer(url=url, flavour="vllm", version=version, models=_plain(listed, url))
    flavour = "localai" if "/system" in answers else "openai"
    return FoundServer(url=url, flavour=flavour, version=version, models=_plain(listed, url))


def _plain(entries: list[JsonObject], url: str) -> tuple[ModelInfo, ...]:
    return tuple(
        ModelInfo(
            id=text(entry, "id"),
            context_window=number(entry, "max_model_len") or number(entry, "context_length"),
            max_output=number(child(entry, "top_provider"), "max_completion_tokens"),
            server=url,
        )
        for entry in entries
        if text(entry, "id")
    )


def _llamacpp(entry: JsonObject, props: JsonObject, url: str) -> ModelInfo:
    meta = child(entry, "meta")
    caps, modalities = child(props, "chat_template_caps"), child(props, "modalities")
    abilities = [word for word, able in (("vision", modalities.get("vision")),) if able]
    if caps.get("supports_tool_calls") or caps.get("supports_tools"):
        abilities.append("tools")
    return ModelInfo(
        id=text(entry, "id"),
        # What was loaded counts, not what the model was trained for.
        context_window=number(child(props, "default_generation_settings"), "n_ctx") or number(meta, "n_ctx_train"),
        size_bytes=number(meta, "size"),
        abilities=("completion", *abilities),
        loaded=True,
        server=url,
    )


def _lmstudio(entry: JsonObject, url: str) -> ModelInfo:
    loaded = children(entry, "loaded_instances")
    config = child(loaded[0], "config") if loaded else {}
    caps = child(entry, "capabilities")
    vision = caps.get("vision") or text(entry, "type") == "vlm"
    tools = caps.get("trained_for_tool_use") or "tool_use" in strings(entry, "capabilities")
    found = [word for word, able in (("vision", vision), ("tools", tools)) if able]
    return ModelInfo(
        id=text(entry, "key") or text(entry, "id"),
        title=text(entry, "display_name"),
        context_window=number(config, "context_length")
        or number(entry, "loaded_context_length")
        or number(entry, "max_context_length"),
        size_bytes=number(entry, "size_bytes"),
        abilities=("completion", *found),
        loaded=bool(loaded) or text(entry, "state") == "loaded",
        server=url,
    )


async def _ollama(server: HttpServer, version: str, within: float) -> FoundServer:
    tags, running = await asyncio.gather(_ask(server, "/api/tags", within), _ask(server, "/api/ps", within))
    entries = children(tags, "models") if isinstance(tags, dict) else []
    loaded = {text(entry, "name") for entry in children(running, "models")} if isinstance(running, dict) else set[str]()
    names = [text(entry, "name") or text(entry, "model") for entry in entries]
    shown = await asyncio.gather(*(show_ollama(server, name, within) for name in names))
    models = tuple(
        ModelInfo(
            id=name,
            title=_title(entry),
            context_window=window_of(details),
            size_bytes=number(entry, "size"),
            abilities=abilities_of(details),
            loaded=name in loaded,
            server=server.root,
            digest=text(entry, "digest"),
        )
        for name, entry, details in zip(names, entries, shown, strict=True)
        if "completion" in (abilities_of(details) or ("completion",))  # others only embed
    )
    return FoundServer(url=server.root, flavour="ollama", version=version, models=models)


async def show_ollama(server: HttpServer, model: str, within: float) -> JsonObject:
    """What Ollama knows of a model; empty when it does not tell."""
    try:
        return await server.post("/api/show", {"model": model}, within)
    except ProviderError:
        return {}


def window_of(details: JsonObject) -> int:
    """The longest context that the model was made for (`<architecture>.context_length`)."""
    info = child(details, "model_info")
    return number(info, f"{text(info, 'general.architecture')}.context_length")


def abilities_of(details: JsonObject) -> tuple[str, ...]:
    """Ollama's words: completion, tools, vision, thinking. "tools" only means that the template mentions them."""
    return strings(details, "capabilities")


def _title(entry: JsonObject) -> str:
    details = child(entry, "details")
    return " ".join(word for word in (text(details, "parameter_size"), text(details, "quantization_level")) if word)
