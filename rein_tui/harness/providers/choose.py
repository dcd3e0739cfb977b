"""From a choice of model to the provider that serves it: the one place that knows all of them.

Settings of its own: `prices`, `authHeader` (bearer, x-api-key, both), `anthropicVersion`, `promptCaching`,
`idleTimeoutSeconds`, `numCtx`, `contextWindow`, `allowPlainHttp`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from msgspec import structs

from ..protocol.errors import ConfigError, ProviderError, StartError
from ..protocol.models import Provider
from ..protocol.workbench import FoundServer, ModelChoice
from ..settings.models import ModelRules, fits
from .addresses import is_loopback
from .anthropic import DEFAULT_MODEL, DEFAULT_URL, AnthropicOptions, AnthropicProvider
from .anthropic_wire import AuthHeader
from .base import NO_SECRET, KeyHelper, Secret
from .embedded import EmbeddedOptions, EmbeddedProvider, packaged_model
from .http import Endpoint, HttpServer
from .keys import HELPER_TTL, KeyRing
from .local import LocalProvider
from .ollama import OllamaOptions, OllamaProvider
from .openai_chat import ChatOptions, OpenAIChatProvider
from .prices import Price, read_prices
from .probe import ToolProber
from .retry import LOCAL_POLICY, RetryPolicy
from .scripted import load_script
from .text_mode.calling import CallingProvider
from .text_mode.mode import ToolText

_FAMILIES = ("opus", "sonnet", "haiku")
LOCAL_URL = "http://localhost:11434/v1"
LOCAL_MODEL = "qwen2.5-coder:7b"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a provider is built from besides the choice. `settings` are merged values, already trusted.

    `probes` is the file that keeps what trying out models showed.
    """

    environment: Mapping[str, str]
    settings: Mapping[str, Any]
    key_helper: KeyHelper | None = None
    probes: Path | None = None


def default_model(kind: str, environment: Mapping[str, str]) -> str:
    """The model to use when the person named none."""
    if kind == "anthropic":
        return environment.get("CLAUDE_MODEL") or environment.get("ANTHROPIC_MODEL") or DEFAULT_MODEL
    if kind == "local":
        return environment.get("LOCAL_LLM_MODEL") or LOCAL_MODEL
    return ""


def model_in_settings(name: str, environment: Mapping[str, str]) -> str:
    """The Claude model that a `model` setting means; empty for the default, and for a family that nothing names.

    A family (`opus`, also `opus[1m]`) is what `ANTHROPIC_DEFAULT_OPUS_MODEL` says, or the default if it is one of it.
    """
    plain = name.partition("[")[0].strip()
    if plain not in _FAMILIES:
        return "" if plain in ("default", "best", "opusplan") else plain
    return environment.get(f"ANTHROPIC_DEFAULT_{plain.upper()}_MODEL") or (
        DEFAULT_MODEL if plain in DEFAULT_MODEL else ""
    )


def _claude_named(name: str, environment: Mapping[str, str]) -> str:
    """The Claude model that a person means; a family that nothing names stays what it is."""
    if found := model_in_settings(name, environment):
        return found
    return name if name.partition("[")[0].strip() in _FAMILIES else DEFAULT_MODEL


def with_settings(choice: ModelChoice, settings: Mapping[str, Any], environment: Mapping[str, str]) -> ModelChoice:
    """The choice, with the `model` of settings in place of the default one."""
    name = settings.get("model")
    model = model_in_settings(name, environment) if choice.kind == "anthropic" and isinstance(name, str) else ""
    return structs.replace(choice, model=model) if model else choice


def settled(choice: ModelChoice, environment: Mapping[str, str]) -> ModelChoice:
    """The choice with its model named: the one asked for, the kind's default, or the file's name."""
    if choice.model and choice.kind == "anthropic":
        return structs.replace(choice, model=_claude_named(choice.model, environment))
    if choice.model:
        return choice
    name = default_model(choice.kind, environment)
    if choice.kind == "demo":
        name = "demo"
    if choice.kind == "gguf":
        name = Path(choice.path).stem if choice.path else _packaged_name()
    return structs.replace(choice, model=name)


async def offered(choice: ModelChoice, provider: Provider) -> ModelChoice:
    """The choice with a model that its server has: one in memory, else the first. Unchanged if it does not tell."""
    try:
        models = await provider.models()
    except ProviderError:
        return choice  # the first request will say so
    if not models or any(info.id == choice.model for info in models):
        return choice
    return structs.replace(choice, model=next((info for info in models if info.loaded), models[0]).id)


def default_of(choice: ModelChoice | None) -> str:
    """The model that answers where nobody names one; empty where that depends on what the server has."""
    if choice is None or choice.kind == "local":
        return ""
    return DEFAULT_MODEL if choice.kind == "anthropic" else _packaged_name()


async def permitted(choice: ModelChoice, provider: Provider, rules: ModelRules, default: str) -> ModelChoice | None:
    """The choice where the rules allow it, else with the default model or the first that the server has of those
    allowed; None where there is none.
    """
    if choice.kind == "demo" or rules.allows(choice.model, default):
        return choice
    if choice.kind == "gguf":
        return None
    if default and rules.allows(default, default):
        return structs.replace(choice, model=default)
    try:
        names = [info.id for info in await provider.models()]
    except ProviderError:
        names = [entry for entry in rules.allowed or () if choice.kind == "anthropic" and entry not in _FAMILIES]
    found = next((name for entry in rules.allowed or () for name in names if fits(entry, name)), "")
    return structs.replace(choice, model=found) if found else None


def _packaged_name() -> str:
    try:
        return packaged_model().stem
    except StartError:
        return ""  # making the provider says what to do


def make_provider(choice: ModelChoice, around: Surroundings, *, api_key: Secret = NO_SECRET) -> Provider:
    """The provider for a choice. `api_key` is what the person typed for Claude; else the environment's, the helper's.

    It never goes to a local server, which has a key of its own (LOCAL_LLM_API_KEY).
    Raises ConfigError for settings and addresses that make no sense, StartError when a key or file is missing.
    """
    match choice.kind:
        case "anthropic":
            return _anthropic(choice, around, api_key)
        case "local":
            return _local(choice, around)
        case "gguf":
            return _embedded(choice, around)
        case "demo":
            if not choice.path:
                raise StartError("The demo has no script.", hint="Give a script file with --demo PATH.")
            return load_script(Path(choice.path))


def _anthropic(choice: ModelChoice, around: Surroundings, api_key: Secret) -> Provider:
    env, settings = around.environment, around.settings
    url = choice.url or env.get("ANTHROPIC_BASE_URL") or DEFAULT_URL
    key = api_key or _key_from(env, "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY")
    helper = None if key else around.key_helper
    if not key and helper is None and not is_loopback(url):
        raise StartError(
            "There is no key for the Claude API.",
            hint="Set ANTHROPIC_API_KEY, or choose a local model, a model file or the demo.",
        )
    options = AnthropicOptions(
        url=url,
        auth=_one_of(settings, "authHeader", get_args(AuthHeader), "both" if helper else "bearer"),
        version=_setting(settings, "anthropicVersion", str, ""),
        headers=_headers(env.get("ANTHROPIC_CUSTOM_HEADERS", "")),
        prices=_prices(settings),
        overrides=settings.get("modelOverrides") or {},
        cached=_setting(settings, "promptCaching", bool, True) and env.get("DISABLE_PROMPT_CACHING", "") not in _TRUE,
        idle=_seconds(settings, "idleTimeoutSeconds", 90.0),
    )
    return AnthropicProvider(KeyRing(key, helper, ttl=_helper_ttl(env)), options)


def _embedded(choice: ModelChoice, around: Surroundings) -> Provider:
    path = Path(choice.path) if choice.path else None
    mode = ToolText()
    options = EmbeddedOptions(path=path, context=_setting(around.settings, "contextWindow", int, 0))
    provider = EmbeddedProvider(options, text_mode=mode)

    async def where() -> FoundServer:
        return FoundServer(url=provider.model, flavour="embedded", models=await provider.models())

    # The packaged model's calls are begun for it: there is nothing to find out.
    wish = "native" if path is None and choice.tools == "auto" else choice.tools
    return CallingProvider(provider, mode, where, wish=wish, prober=ToolProber(around.probes))


def _local(choice: ModelChoice, around: Surroundings) -> Provider:
    settings = around.settings
    mode = ToolText()
    endpoint = Endpoint(
        url=choice.url or around.environment.get("LOCAL_LLM_URL") or LOCAL_URL,
        idle=_seconds(settings, "idleTimeoutSeconds", 300.0),
        allow_http=_setting(settings, "allowPlainHttp", bool, False),
    )
    keys = local_keys(around.environment)
    policy = LOCAL_POLICY if is_loopback(endpoint.url) else RetryPolicy()
    chat = ChatOptions(endpoint, _setting(settings, "contextWindow", int, 0), _prices(settings), policy)
    native = OllamaOptions(endpoint, _setting(settings, "numCtx", int, 0), policy)

    def build(flavour: str) -> Provider:
        if flavour == "ollama":
            return OllamaProvider(native, keys, text_mode=mode)
        return OpenAIChatProvider(chat, keys, text_mode=mode)

    local = LocalProvider(HttpServer(endpoint, keys), build)
    return CallingProvider(local, mode, local.server, wish=choice.tools, prober=ToolProber(around.probes))


_TRUE = {"1", "true", "yes", "on"}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def local_keys(environment: Mapping[str, str]) -> KeyRing:
    """The key of local servers, which is none of Claude's."""
    return KeyRing(_key_from(environment, "LOCAL_LLM_API_KEY"))


def _key_from(environment: Mapping[str, str], *names: str) -> Secret:
    """The first key that the environment holds."""
    return next((Secret(environment[name], source=name) for name in names if environment.get(name)), NO_SECRET)


def _headers(lines: str) -> dict[str, str]:
    """Headers written as `Name: value`, one a line. Raises ConfigError."""
    found: dict[str, str] = {}
    for line in lines.splitlines():
        name, colon, value = line.partition(":")
        if not line.strip():
            continue
        if not colon or not _HEADER_NAME.fullmatch(name.strip()) or not value.strip().isprintable():
            raise ConfigError("A header must be written as `Name: value`, one a line", where="ANTHROPIC_CUSTOM_HEADERS")
        found[name.strip()] = value.strip()
    return found


def _helper_ttl(environment: Mapping[str, str]) -> float:
    milliseconds = environment.get("CLAUDE_CODE_API_KEY_HELPER_TTL_MS", "")
    return min(int(milliseconds[:12]), 10**9) / 1000 if milliseconds.isdecimal() else HELPER_TTL


def _prices(settings: Mapping[str, Any]) -> dict[str, Price]:
    return read_prices(settings["prices"], "settings") if "prices" in settings else {}


def _setting(settings: Mapping[str, Any], name: str, kind: type[_T], default: _T) -> _T:
    value = settings.get(name, default)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ConfigError(f"`{name}` must be a {kind.__name__}", where="settings")
    return value


def _seconds(settings: Mapping[str, Any], name: str, default: float) -> float:
    value = settings.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigError(f"`{name}` must be a number of seconds above 0", where="settings")
    return float(value)


def _one_of(settings: Mapping[str, Any], name: str, choices: tuple[_T, ...], default: _T) -> _T:
    value = settings.get(name, default)
    if value not in choices:
        raise ConfigError(f"`{name}` must be one of {', '.join(map(str, choices))}", where="settings")
    return value
