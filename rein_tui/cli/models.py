"""`rein-tui models`: the servers on this machine and the models that they offer."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..harness.protocol.errors import ProviderError, ReinError
from ..harness.protocol.models import ModelInfo
from ..harness.protocol.workbench import FoundServer, ModelChoice
from .options import Subparsers

if TYPE_CHECKING:
    from ..harness.providers.choose import Surroundings
    from ..harness.providers.keys import KeyRing


def add_models_parser(subparsers: Subparsers) -> None:
    """Add `models` to the command line."""
    parser = subparsers.add_parser("models", help="list model servers and what they offer")
    parser.add_argument("--local-url", default="", metavar="URL", help="ask this server too")
    parser.add_argument("--probe", action="store_true", help="try out whether each model really calls tools")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run_models(args: argparse.Namespace, environment: Mapping[str, str], out: TextIO | None = None) -> int:
    """Print servers and models; exit code 0 when at least one answered, else 1."""
    from ..harness.providers.choose import local_keys
    from ..harness.providers.probe import find_servers

    around = _surroundings(environment)
    keys = local_keys(around.environment)
    urls = [url for url in (args.local_url, around.environment.get("LOCAL_LLM_URL", "")) if url]
    servers = await find_servers(urls, keys)
    rows = [
        (server, model, await _verdict(server, model, around) if args.probe else "")
        for server in servers
        for model in server.models
    ]
    stream = out or sys.stdout
    if args.local_url:
        await _tell_why_not(args.local_url, keys, servers)
    if args.json:
        stream.write(json.dumps([_record(*row) for row in rows], indent=2) + "\n")
    else:
        _table(servers, rows, stream)
    return 0 if servers else 1


def _surroundings(environment: Mapping[str, str]) -> "Surroundings":
    """Keys and options as a session here has them, of the person's own settings."""
    from ..harness.places import find_places
    from ..harness.providers.choose import Surroundings
    from ..harness.settings.load import load_settings
    from ..harness.settings.models import own_environment

    places = find_places(environment)
    settings = load_settings(places, Path.cwd(), sources=("user",))
    return Surroundings(
        environment=own_environment(settings, environment),
        settings=settings.data,
        probes=places.cache / "tool-probes.json",
    )


async def _tell_why_not(url: str, keys: "KeyRing", servers: tuple[FoundServer, ...]) -> None:
    """A server that was named and not found says why."""
    from ..harness.providers.probe import look_at

    if any(url.rstrip("/").removesuffix("/v1") == server.url for server in servers):
        return
    try:
        await look_at(url, keys)
    except ReinError as error:
        sys.stderr.write(f"{error}\n")


async def _verdict(server: FoundServer, model: ModelInfo, around: "Surroundings") -> str:
    """What trying the model out shows; sessions go by it from then on."""
    from ..harness.providers.choose import make_provider
    from ..harness.providers.text_mode.calling import CallingProvider

    provider = make_provider(ModelChoice(kind="local", model=model.id, url=server.url), around)
    assert isinstance(provider, CallingProvider)
    try:
        found = await provider.probe(model.id)
    except ProviderError as error:
        return f"failed: {error.message}"
    finally:
        await provider.close()
    return f"{found.verdict} ({found.dialect})" if found.dialect else found.verdict


def _record(server: FoundServer, model: ModelInfo, verdict: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "server": server.url,
        "flavour": server.flavour,
        "version": server.version,
        "id": model.id,
        "context_window": model.context_window,
        "size_bytes": model.size_bytes,
        "abilities": list(model.abilities),
        "loaded": model.loaded,
    }
    if verdict:
        record["tool_calls"] = verdict
    return record


def _table(servers: tuple[FoundServer, ...], rows: list[tuple[FoundServer, ModelInfo, str]], out: TextIO) -> None:
    if not servers:
        out.write(
            "No model server answers on this machine.\n"
            "Start one (ollama serve, LM Studio, llama-server, vllm serve), or name it with --local-url URL.\n"
        )
        return
    for server in servers:
        out.write(f"{server.flavour} {server.version}  {server.url}\n".replace("  ", " ", 1))
        for owner, model, verdict in rows:
            if owner is server:
                facts = [
                    f"{model.size_bytes / 1e9:.1f} GB" if model.size_bytes else "",
                    f"{model.context_window // 1024}k context" if model.context_window else "",
                    " ".join(model.abilities),
                    "loaded" if model.loaded else "",
                    f"tool calls: {verdict}" if verdict else "",
                ]
                out.write(f"  {model.id:<40} {' · '.join(f for f in facts if f)}\n")
