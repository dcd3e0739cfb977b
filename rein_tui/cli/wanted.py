"""What the flags and the environment ask for: a model, and a session."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from msgspec import structs

from .. import __version__
from ..harness.places import Places
from ..harness.protocol.errors import ConfigError, StartError
from ..harness.protocol.workbench import ModelChoice
from ..harness.providers.addresses import check_url
from ..harness.wiring.choices import remembered_choice
from .options import Options

if TYPE_CHECKING:
    from ..harness.protocol.decisions import Mode
    from ..harness.wiring.wishes import Wishes


def choice_of(options: Options, environment: dict[str, str], places: Places) -> ModelChoice | None:
    """The model that flags ask for, else a model variable beside a key, else the last choice, else the environment.

    A key that is merely there does not undo what a person chose in the picker. None when nothing asks for a model.
    Raises StartError for an address that is none.
    """
    tools = "native" if options.native_tools else "text" if options.prompt_tools else "auto"
    if options.demo:
        return ModelChoice(kind="demo", model="demo")
    if options.gguf is not None:
        return ModelChoice(kind="gguf", path=options.gguf, tools=tools)
    if options.local_url:
        _check_address(options.local_url)
    if options.local or options.local_url or options.local_model:
        return ModelChoice(kind="local", model=options.local_model, url=options.local_url, tools=tools)
    has_key = environment.get("ANTHROPIC_API_KEY") or environment.get("ANTHROPIC_AUTH_TOKEN")
    has_claude = bool(has_key or environment.get("ANTHROPIC_BASE_URL"))
    is_named = bool(environment.get("CLAUDE_MODEL") or environment.get("ANTHROPIC_MODEL"))
    if options.model or (has_claude and is_named):
        return ModelChoice(kind="anthropic", model=options.model)
    kept = remembered_choice(places)
    if kept is not None and (has_claude or not _is_elsewhere(kept, environment)):
        kept = structs.replace(kept, model="") if is_named and kept.kind == "anthropic" else kept
        return kept if tools == "auto" else structs.replace(kept, tools=tools)
    if has_claude:
        return ModelChoice(kind="anthropic")
    if environment.get("LOCAL_LLM_URL") or environment.get("LOCAL_LLM_MODEL"):
        return ModelChoice(kind="local", tools=tools)
    return None


def _check_address(url: str) -> None:
    """Now, not when the first session opens: a server would start, and fail with its first client."""
    try:
        check_url(url, allow_http=True)
    except ConfigError as error:
        raise StartError(f"--local-url: {error.message}", where=error.where, hint=error.hint) from error


def _is_elsewhere(kept: ModelChoice, environment: dict[str, str]) -> bool:
    """Whether the environment names another local model, or a server other than the one chosen last."""
    if environment.get("LOCAL_LLM_MODEL"):
        return True
    url = environment.get("LOCAL_LLM_URL", "")
    return bool(url and kept.url and _bare(url) != _bare(kept.url))


def _bare(url: str) -> str:
    return url.rstrip("/").removesuffix("/v1")


def wishes_of(options: Options, *, interactive: bool) -> "Wishes":
    """What the flags ask of a session."""
    from pathlib import Path

    from ..harness.wiring.wishes import Wishes

    mode = "bypassPermissions" if options.dangerously_skip_permissions else options.permission_mode
    return Wishes(
        root=(options.project_dir or Path.cwd()).resolve(),
        additional=tuple(folder.resolve() for folder in options.add_dir or ()),
        settings=options.settings,
        sources=options.setting_sources,
        mode=cast("Mode", mode) if mode else None,
        allow=tuple(_listed(options.allowed_tools or [])),
        deny=tuple(_listed(options.disallowed_tools or [])),
        system_prompt=options.system_prompt,
        appended=options.append_system_prompt,
        max_steps=options.max_turns,
        effort=options.effort,
        interactive=interactive,
        trust=options.trust,
        persist=not options.no_session_persistence,
        session_id=options.session_id,
        name=options.name,
        version=__version__,
        plugin_dirs=tuple(folder.resolve() for folder in options.plugin_dir or ()),
        mcp_config=tuple(_from_here(text) for text in options.mcp_config or ()),
        strict_mcp=options.strict_mcp_config,
        setup="maintenance" if options.maintenance else "init" if options.init or options.init_only else "",
    )


def _from_here(text: str) -> str:
    """JSON as it is; a file's path from where we were started."""
    from pathlib import Path

    return text if text.lstrip().startswith("{") else str(Path(text).expanduser().absolute())


def _listed(values: Sequence[str]) -> list[str]:
    """Lists separated by commas or blanks, but not inside parentheses: `Bash(git add *),Read`."""
    found: list[str] = []
    for value in values:
        word, depth = "", 0
        for character in value:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if character in ", " and depth <= 0:
                found.append(word)
                word = ""
            else:
                word += character
        found.append(word)
    return [word for word in found if word]
