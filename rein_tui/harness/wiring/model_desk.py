"""Which model answers: what the person chose, what settings allow, the provider that follows from both, its key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..demo.script import demo_script
from ..places import Places
from ..protocol.errors import ProviderError, ProviderErrorKind, StartError
from ..protocol.events import Notice
from ..protocol.models import ModelInfo, Provider
from ..protocol.workbench import FoundServer, ModelChoice, ModelProbe
from ..providers.base import NO_SECRET, Secret
from ..providers.choose import (
    Surroundings,
    default_of,
    local_keys,
    make_provider,
    offered,
    permitted,
    settled,
    with_settings,
)
from ..providers.keys import KeyHelper, shell_helper
from ..providers.probe import find_servers
from ..providers.scripted import ScriptedProvider
from ..providers.text_mode.calling import CallingProvider
from ..settings.layers import Settings
from ..settings.models import ModelRules, model_rules, own_environment
from .choices import forget_key, remember, remembered
from .wishes import Wishes

_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "LOCAL_LLM_API_KEY")
_NO_LIST = frozenset[ProviderErrorKind]({"not_found", "invalid_request", "malformed", "server"})
"""Failures of a gateway that answers and has no list of models."""


@dataclass(slots=True)
class ModelDesk:
    """Keeps the choice and its provider, and gives both to sessions; `protect` keeps a key from the disk.

    `is_guess` says that nobody named the model of a local server: what the server has goes before our guess.
    `is_open`: nobody named the model, so that settings may.
    """

    places: Places
    environment: Mapping[str, str]
    notices: list[Notice]
    protect: Callable[..., None]
    choice: ModelChoice | None = None
    key: Secret = NO_SECRET
    is_guess: bool = False
    is_open: bool = False
    provider: Provider | None = None
    _rules: ModelRules = field(default_factory=ModelRules)
    _local_default: str = ""
    _addresses: dict[str, None] = field(default_factory=dict[str, None])

    def recall(self, choice: ModelChoice | None) -> None:
        """Begin with what was named at the start, else with the choice and key of an earlier one."""
        environment = self.environment
        kept, key = remembered(self.places)
        self.protect(*(environment[name] for name in _KEYS if environment.get(name)), key.reveal())
        choice = choice or kept
        is_named = choice is None or choice.kind != "local" or choice.model or environment.get("LOCAL_LLM_MODEL")
        self.is_guess = not is_named
        named = {"CLAUDE_MODEL", "ANTHROPIC_MODEL"} & environment.keys()
        self.is_open = choice is not None and not choice.model and not named
        self.choice = settled(choice, environment) if choice is not None else None
        has_own_key = bool(environment.get("ANTHROPIC_API_KEY") or environment.get("ANTHROPIC_AUTH_TOKEN"))
        self.key = NO_SECRET if has_own_key else key

    # --- for a session that opens ---------------------------------------------------------------------------

    async def answering(self, settings: Settings, wishes: Wishes) -> tuple[Provider, ModelChoice]:
        """Who answers under these settings; what differs from the choice is told. Raises StartError, ProviderError."""
        choice = self.choice or ModelChoice(kind="local")
        if self.is_open and self.choice is not None:
            self.choice = choice = with_settings(choice, settings.data, self.environment)
        provider = self._provider_for(choice, settings, wishes)
        if self.is_guess:
            self.is_guess, guess = False, choice.model
            choice = self.choice = await offered(choice, provider)
            self._local_default = choice.model
            if choice.model != guess:
                text = f"The server has no {guess}: {choice.model} answers."
                self.notices.append(Notice(text=text, code="model_offered"))
        return provider, await self._permitted(choice, provider, settings)

    def _provider_for(self, choice: ModelChoice, settings: Settings, wishes: Wishes) -> Provider:
        if is_demo(choice):
            return ScriptedProvider(demo_script(wishes.root), model="demo", pace=0.03)
        if self.provider is None:
            self.provider = make_provider(choice, self._around(settings), api_key=self.key)
        return self.provider

    async def _permitted(self, choice: ModelChoice, provider: Provider, settings: Settings) -> ModelChoice:
        """The choice, or what settings allow in its place, which is told. Raises StartError."""
        self._rules = model_rules(settings)
        found = await permitted(choice, provider, self._rules, self._default(choice))
        if found is None:
            refusal = self._rules.refusal(choice.model)
            raise StartError(refusal.message, where=refusal.where, hint=refusal.hint)
        if found.model != choice.model:
            self.choice = found
            text = f"availableModels does not allow {choice.model}: {found.model} answers."
            notice = Notice(level="warning", text=text, where=self._rules.where, code="model_not_allowed")
            self.notices.append(notice)
        return found

    def _default(self, choice: ModelChoice | None) -> str:
        """The model that answers where nobody names one."""
        return default_of(choice) or self._local_default

    def _around(self, settings: Settings) -> Surroundings:
        """Keys and addresses come from the person and the administrator, never from a project's files."""
        own = settings.layers_of("managed", "command_line", "user")
        environment = own_environment(settings, self.environment)
        self.protect(*(environment[name] for name in _KEYS if environment.get(name)))
        helper = next((layer for layer in own if layer.data.get("apiKeyHelper")), None)
        return Surroundings(
            environment=environment,
            settings=settings.data,
            probes=self.places.cache / "tool-probes.json",
            key_helper=None
            if helper is None
            else self._protected(
                shell_helper(helper.data["apiKeyHelper"], self.places.home, str(helper.source("apiKeyHelper")))
            ),
        )

    def _protected(self, helper: KeyHelper) -> KeyHelper:
        """The helper, its keys kept from the disk."""

        async def fetch() -> str:
            key = await helper()
            self.protect(key)
            return key

        return fetch

    # --- for a person who looks and chooses -----------------------------------------------------------------

    async def find_servers(self, settings: Settings) -> tuple[FoundServer, ...]:
        """Model servers that the person named, and those on the usual local ports."""
        self._note_address()
        environment = own_environment(settings, self.environment)
        named = (*self._addresses, environment.get("LOCAL_LLM_URL", ""))
        return await find_servers([url for url in named if url], local_keys(environment))

    def _note_address(self) -> None:
        """Who goes over to another server may want to come back."""
        if self.choice is not None and self.choice.kind == "local" and self.choice.url:
            self._addresses[self.choice.url] = None

    async def models(self) -> tuple[ModelInfo, ...]:
        """What the current provider offers. Raises ProviderError."""
        if self.provider is None:
            raise ProviderError("No model server is chosen yet.", kind="unavailable", hint="Choose one with /model.")
        models = await self.provider.models()
        default = self._default(self.choice)
        return tuple(info for info in models if self._rules.allows(info.id, default))

    async def probe(self) -> ModelProbe:
        """Try out whether the model in use calls tools. Raises ProviderError."""
        if self.choice is None or not isinstance(self.provider, CallingProvider):
            raise ProviderError("Only local models are tried out.", kind="unavailable", hint="Choose one with /model.")
        return await self.provider.tried(self.choice.model)

    async def choose(self, choice: ModelChoice, api_key: str, settings: Settings) -> Provider | None:
        """Go over to this model; the provider that answered until now is the caller's to close, when nobody asks it.

        The demo takes effect with the next session. Raises ProviderError, StartError, ConfigError.
        """
        is_guess = choice.kind == "local" and not choice.model and not self.environment.get("LOCAL_LLM_MODEL")
        choice = settled(choice, self.environment)
        key = Secret(api_key, source="typed") if api_key else self.key
        self.protect(api_key)
        if choice.kind == "demo":
            self.choice = choice
            return None
        self.is_guess = False
        self._rules = model_rules(settings)
        provider = make_provider(choice, self._around(settings), api_key=key)
        if is_guess:
            choice = await offered(choice, provider)
            self._local_default = choice.model
        if not self._rules.allows(choice.model, self._default(choice)):
            await provider.close()
            raise self._rules.refusal(choice.model)
        await _check(provider, choice)
        remember(self.places, choice, api_key)
        self.is_open = False
        self._note_address()
        old, self.provider, self.choice, self.key = self.provider, provider, choice, key
        return old

    def forget_key(self) -> bool:
        """Forget the key that was typed, here and in open sessions; whether there was one. Raises ConfigError."""
        was_kept, was_used = forget_key(self.places), bool(self.key)
        if was_used:
            self.key.forget()
            self.key = NO_SECRET
        return was_kept or was_used

    async def close(self) -> None:
        """End the provider."""
        if self.provider is not None:
            await self.provider.close()


def is_demo(choice: ModelChoice | None) -> bool:
    """Whether this is our own demo, not a script that somebody named."""
    return choice is not None and choice.kind == "demo" and not choice.path


async def _check(provider: Provider, choice: ModelChoice) -> None:
    """Find out now, not at the first prompt, whether the server answers and knows the model, where it has a list."""
    try:
        models = await provider.models()
    except ProviderError as error:
        if error.kind in _NO_LIST:
            return
        await provider.close()
        raise
    known = {m.id for m in models}
    if choice.model and known and choice.model not in known and choice.kind == "local":
        await provider.close()
        raise ProviderError(
            f"The server has no model {choice.model!r}.",
            kind="not_found",
            hint="It has: " + ", ".join(sorted(known)[:8]),
        )
