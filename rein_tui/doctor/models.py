"""Who can answer: keys (never shown), the chosen model, servers on this machine."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.workbench import FoundServer, ModelChoice

from .finding import Finding, bad, note, ok

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_PATIENCE = 3.0
"""Seconds that a server may take to be there."""
_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


async def check_models(places: Places, environment: Mapping[str, str], helper: str = "") -> list[Finding]:
    """`helper` is where settings name a program that prints the key, if they do. Sends no request but probes."""
    from rein_tui.harness.providers.addresses import is_loopback
    from rein_tui.harness.providers.probe import find_servers
    from rein_tui.harness.wiring.choices import remembered

    choice, typed = remembered(places)
    findings = _keys(environment, helper, typed.source if typed else "")
    base = environment.get("ANTHROPIC_BASE_URL", "")
    has_key = bool(findings) or is_loopback(base)  # a gateway on this machine may need none
    if base:
        findings.append(await _base(base, environment))
    wanted = environment.get("LOCAL_LLM_URL", "")
    chosen = choice.url if choice is not None and choice.kind == "local" else ""
    servers = await find_servers([url for url in (wanted, chosen) if url])
    findings += [_server(server) for server in servers]
    answered = {_address(server.url) for server in servers}
    for url, source in ((wanted, "LOCAL_LLM_URL"), (chosen, "the model chosen last")):
        if url and _address(url) not in answered:
            todo = "start that server, or choose another with /model"
            findings.append(bad("servers", f"{source} is {url}, and nothing answers there", todo))
    if choice is not None:
        findings.append(_chosen(choice))
    has_file = choice is not None and choice.kind == "gguf"
    if not has_key and not has_file and not servers:
        todo = "export ANTHROPIC_API_KEY=…, or start a server (ollama serve), or give --gguf FILE; --demo needs none"
        findings.append(bad("models", "no key and no server: nobody can answer", todo))
    elif not servers:
        findings.append(note("servers", "no local model server answers", "ollama serve, LM Studio or llama-server"))
    return findings


async def _base(url: str, environment: Mapping[str, str]) -> Finding:
    from rein_tui.harness.providers.addresses import check_url, is_loopback

    try:
        address = check_url(url, allow_http=True)
    except ConfigError as error:
        return bad("keys", f"ANTHROPIC_BASE_URL: {error.message}", "set it to a plain address", error.where)
    proxied = any(environment.get(name) or environment.get(name.lower()) for name in _PROXIES)
    if (is_loopback(address) or not proxied) and not await _is_answered(address):
        todo = "start that server, or unset ANTHROPIC_BASE_URL to ask Claude's own"
        return bad("servers", f"ANTHROPIC_BASE_URL is {address}, and nothing answers there", todo)
    return ok("keys", f"Claude's API is asked at {address} (ANTHROPIC_BASE_URL)")


async def _is_answered(url: str) -> bool:
    """Whether a connection can be made; nothing is sent."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, port), _PATIENCE)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _key(name: str, value: str) -> Finding:
    if re.fullmatch(r"[!-~]+", value) and value[0] not in "'\"" and value[-1] not in "'\"":
        return ok("keys", f"{name} is set; whether it is accepted shows the first prompt")
    return bad("keys", f"{name} holds blanks, quotes or letters that no key has", f"export {name} anew without them")


def _keys(environment: Mapping[str, str], helper: str, typed: str) -> list[Finding]:
    found = [_key(name, value) for name in _KEYS if (value := environment.get(name))]
    if helper:
        found.append(ok("keys", "apiKeyHelper prints the key", helper))
    if typed:
        found.append(ok("keys", "a key that you typed is kept", typed))
        if Path(typed).stat().st_mode & 0o077:
            found.append(bad("keys", "others may read the kept key", f"chmod 600 {typed}", typed))
    return found


def _chosen(choice: ModelChoice) -> Finding:
    if choice.kind == "gguf" and not Path(choice.path).is_file():
        return bad("models", f"the model file chosen last is gone: {choice.path}", "choose another: /model")
    return ok("models", f"chosen: {choice.kind} {choice.model or choice.path}".strip())


def _server(server: FoundServer) -> Finding:
    name = f"{server.flavour} {server.version}".strip()
    if not server.models:
        return note("servers", f"{name} at {server.url} has no models", "ollama pull qwen2.5-coder:7b, or load one")
    more = f" and {len(server.models) - 3} more" if len(server.models) > 3 else ""
    return ok("servers", f"{name} at {server.url}: {', '.join(m.id for m in server.models[:3])}{more}")


def _address(url: str) -> str:
    return url.rstrip("/").removesuffix("/v1").replace("127.0.0.1", "localhost")
