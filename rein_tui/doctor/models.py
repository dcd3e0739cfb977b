"""Who can answer: keys (never shown), the chosen model, servers on this machine."""

from collections.abc import Mapping
from pathlib import Path

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.workbench import FoundServer, ModelChoice

from .finding import Finding, bad, note, ok

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
        findings.append(_base(base))
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


def _base(url: str) -> Finding:
    from rein_tui.harness.providers.addresses import check_url

    try:
        return ok("keys", f"Claude's API is asked at {check_url(url, allow_http=True)} (ANTHROPIC_BASE_URL)")
    except ConfigError as error:
        return bad("keys", f"ANTHROPIC_BASE_URL: {error.message}", "set it to a plain address", error.where)


def _keys(environment: Mapping[str, str], helper: str, typed: str) -> list[Finding]:
    found = [ok("keys", f"{name} is set") for name in _KEYS if environment.get(name)]
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
