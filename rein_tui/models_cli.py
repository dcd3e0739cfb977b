"""`rein-tui models`: the servers on this machine and the models that they offer."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from .harness.protocol.errors import ProviderError
from .harness.protocol.models import ModelInfo
from .harness.protocol.workbench import FoundServer, ModelChoice
from .options import Subparsers


def add_models_parser(subparsers: Subparsers) -> None:
    """Add `models` to the command line."""
    parser = subparsers.add_parser("models", help="list model servers and what they offer")
    parser.add_argument("--local-url", default="", metavar="URL", help="ask this server too")
    parser.add_argument("--probe", action="store_true", help="try out whether each model really calls tools")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run_models(args: argparse.Namespace, environment: Mapping[str, str], out: TextIO | None = None) -> int:
    """Print servers and models; exit code 0 when at least one answered, else 1."""
    from .harness.providers.probe import find_servers

    urls = [url for url in (args.local_url, environment.get("LOCAL_LLM_URL", "")) if url]
    servers = await find_servers(urls)
    rows = [
        (server, model, await _verdict(server, model, environment) if args.probe else "")
        for server in servers
        for model in server.models
    ]
    stream = out or sys.stdout
    if args.json:
        stream.write(json.dumps([_record(*row) for row in rows], indent=2) + "\n")
    else:
        _table(servers, rows, stream)
    return 0 if servers else 1


async def _verdict(server: FoundServer, model: ModelInfo, environment: Mapping[str, str]) -> str:
    """What trying the model out shows; sessions go by it from then on."""
    from .harness.places import find_places
    from .harness.providers.choose import Surroundings, make_provider
    from .harness.providers.text_mode.calling import CallingProvider

    choice = ModelChoice(kind="local", model=model.id, url=server.url)
    probes = find_places(environment).cache / "tool-probes.json"
    provider = make_provider(choice, Surroundings(environment=environment, settings={}, probes=probes))
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
