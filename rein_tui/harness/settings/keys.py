"""The settings keys that are known: what kind of value they take, who may set them, what a bad value means.

Tables only; `check.py` applies them.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rein_tui.harness.protocol.decisions import Layer, Mode

Kind: TypeAlias = Literal[
    "any",
    "bool",
    "integer",
    "number",
    "string",
    "strings",
    "object",
    "objects",
    "text_map",
    "name_map",
    "flag_map",
    "prices",
]

Scope: TypeAlias = Literal["A", "UM", "ULM", "M"]
"""Which layers may set a key: any; user and managed; user, local and managed; managed only."""

ALLOWED: dict[Scope, frozenset[Layer]] = {
    "A": frozenset({"managed", "command_line", "local", "project", "user"}),
    "UM": frozenset({"managed", "command_line", "user"}),
    "ULM": frozenset({"managed", "command_line", "local", "user"}),
    "M": frozenset({"managed"}),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `strict` is what a value of the wrong kind is read as (None: it is left out).

    `vital` marks a restriction that cannot be read stricter: a wrong kind makes the whole file unusable. `or_one`
    says that a single string is a list of one.
    """

    kind: Kind
    scope: Scope = "A"
    tier: int = 3
    strict: Any = None
    vital: bool = False
    or_one: bool = False


def _all(kind: Kind, names: str, tier: int = 3, scope: Scope = "A") -> dict[str, Key]:
    return {name: Key(kind, scope, tier) for name in names.split()}


_LOCK = Key("bool", "M", 1, strict=True)

KEYS: dict[str, Key] = {
    "permissions": Key("object", tier=1, vital=True),
    "hooks": Key("object", tier=1, vital=True),
    "env": Key("text_map", tier=1),
    "sandbox": Key("object", tier=2, strict={"enabled": True, "failIfUnavailable": True}),
    # locks
    "allowManagedHooksOnly": _LOCK,
    "allowManagedPermissionRulesOnly": _LOCK,
    "allowManagedMcpServersOnly": _LOCK,
    "disableCommandPluginSources": _LOCK,
    "enforceAvailableModels": _LOCK,
    "disableAllHooks": Key("bool", tier=1),
    "disableSkillShellExecution": Key("bool", tier=2, strict=True),
    "disableClaudeAiConnectors": Key("bool", strict=True),
    "disableAutoMode": Key("any", tier=1),
    "skipDangerousModePermissionPrompt": Key("bool", "ULM", 2),
    # allow-lists of an administrator: what cannot be read allows nothing
    "allowedMcpServers": Key("objects", tier=2, strict=[]),
    "deniedMcpServers": Key("objects", tier=2, vital=True),
    "availableModels": Key("strings", tier=2, strict=[]),
    "strictKnownMarketplaces": Key("objects", "M", 2, strict=[]),
    "allowedMarketplaces": Key("objects", "M", 2, strict=[]),
    "blockedMarketplaces": Key("objects", "M", 2, vital=True),
    "allowedHttpHookUrls": Key("strings", tier=2, strict=[]),
    "httpHookAllowedEnvVars": Key("strings", tier=2, strict=[]),
    "strictPluginOnlyCustomization": Key("any", "M"),
    # MCP
    "enableAllProjectMcpServers": Key("bool", "ULM", 1),
    "enabledMcpjsonServers": Key("strings", "ULM", 1),
    "disabledMcpjsonServers": Key("strings", tier=1, vital=True),
    # plugins
    "enabledPlugins": Key("flag_map", tier=1),
    "extraKnownMarketplaces": Key("object", tier=1),
    "additionalMarketplaces": Key("object", tier=1),
    "pluginConfigs": Key("object", "UM", 1),
    "pluginDirs": Key("strings", "UM", 2),
    # model
    **_all("string", "model effortLevel agent outputStyle language theme editorMode defaultShell", 2),
    "fallbackModel": Key("strings", tier=2, or_one=True),
    "modelOverrides": Key("name_map", tier=2),
    **_all("any", "attribution spinnerVerbs spinnerTipsOverride companyAnnouncements", 3),
    **_all("object", "skillOverrides autoMode", 2),
    "apiKeyHelper": Key("string", "UM", 2),
    "maxTokens": Key("integer", tier=2),
    # our own, about how models are reached: a project's files have no say in it
    **_all("string", "authHeader anthropicVersion", 2, "UM"),
    **_all("integer", "numCtx contextWindow", 2, "UM"),
    **_all("bool", "promptCaching allowPlainHttp", 2, "UM"),
    "idleTimeoutSeconds": Key("number", "UM", 2),
    "prices": Key("prices", "UM", 2),
    # appearance, memory and the rest
    **_all("object", "statusLine fileSuggestion subagentStatusLine", 2),
    **_all(
        "bool",
        "alwaysThinkingEnabled autoCompactEnabled autoMemoryEnabled fileCheckpointingEnabled respectGitignore "
        "respondToBashCommands includeGitInstructions includeCoAuthoredBy verbose spinnerTipsEnabled "
        "prefersReducedMotion terminalProgressBarEnabled showTurnDuration syncClaudeAiSkills useAutoModeDuringPlan "
        "sessionTitles autoUpdates disableWorkflows disableDeepLinkRegistration showThinkingSummaries voiceEnabled",
        2,
    ),
    **_all("number", "skillListingBudgetFraction skillListingMaxDescChars autoCompactWindow askUserQuestionTimeout", 2),
    **_all("strings", "claudeMdExcludes", 2),
    "autoMemoryDirectory": Key("string", "UM", 2),
    "cleanupPeriodDays": Key("integer", "UM", 2),
    "claudeMd": Key("string", "M"),
    **_all(
        "string",
        "plansDirectory tui viewMode preferredNotifChannel forceLoginMethod teammateMode "
        "autoUpdatesChannel minimumVersion awsAuthRefresh awsCredentialExport gcpAuthRefresh otelHeadersHelper",
    ),
    "forceLoginOrgUUID": Key("any", "M"),
    "allowAllClaudeAiMcps": Key("bool", "M"),
    "forceRemoteSettingsRefresh": Key("bool", "M"),
    "$schema": Key("any"),
    "worktree": Key("object"),
}

PERMISSION_KEYS: dict[str, Key] = {
    "allow": Key("strings", tier=1),
    "ask": Key("strings", tier=1, vital=True),
    "deny": Key("strings", tier=1, vital=True),
    "additionalDirectories": Key("strings", tier=1),
    "defaultMode": Key("string", tier=1),
    "disableBypassPermissionsMode": Key("any", tier=1),
    "disableAutoMode": Key("any", tier=1),
}

SANDBOX_KEYS: dict[str, Key] = {
    "enabled": Key("bool", strict=True),
    "failIfUnavailable": Key("bool", strict=True),
    "autoAllowBashIfSandboxed": Key("bool", strict=False),
    "allowUnsandboxedCommands": Key("bool", strict=False),
    "excludedCommands": Key("strings", "UM", strict=[]),
    "filesystem": Key("object", strict={}),
    "network": Key("object", strict={"allowedDomains": []}),
    "enableWeakerNestedSandbox": Key("bool", "UM", strict=False),
    "ignoreViolations": Key("object"),
    "credentials": Key("any"),
    "bwrapPath": Key("string", "UM"),
}

FILESYSTEM_KEYS: dict[str, Key] = {
    "allowWrite": Key("strings", strict=[]),
    "allowRead": Key("strings", "UM", strict=[]),
    "denyWrite": Key("strings", vital=True),
    "denyRead": Key("strings", vital=True),
    "disabled": Key("bool", strict=False),
    "allowManagedReadPathsOnly": Key("bool", "M", strict=True),
}

NETWORK_KEYS: dict[str, Key] = {
    "allowedDomains": Key("strings", strict=[]),
    "deniedDomains": Key("strings", strict=["*"]),
    "allowManagedDomainsOnly": Key("bool", "M", strict=True),
    "allowUnixSockets": Key("any"),
    "allowAllUnixSockets": Key("bool", strict=False),
    "allowLocalBinding": Key("bool", strict=False),
    "httpProxyPort": Key("integer"),
    "socksProxyPort": Key("integer"),
}

OLD_KEYS: frozenset[str] = frozenset(
    {"permissionMode", "bashSandbox", "blockedPlugins", "disableDangerouslySkipPermissions"}
)
"""Keys of an older harness, read as what they can mean here (see `aliases.py`)."""

HELD_SAFE: dict[str, frozenset[str] | None] = {
    "$schema": None,
    "permissions": frozenset({"deny", "ask", "disableBypassPermissionsMode", "disableAutoMode"}),
    "disableAutoMode": None,
    "disabledMcpjsonServers": None,
    "deniedMcpServers": None,
}
"""What applies from a folder that is not trusted: only what takes permissions away. None: the whole value."""

ENDPOINT_VARIABLES = (
    "_BASE_URL",
    "_API_KEY",
    "_AUTH_TOKEN",
    "_API_URL",
    "_PROXY",
    "_CUSTOM_HEADERS",
    "LOCAL_LLM_URL",
    "CLAUDE_CONFIG_DIR",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSLKEYLOGFILE",
    "REIN_TUI_DATA_DIR",
)
"""Endings of variables that a repository may never set, trusted or not: where requests go, and with which key."""

PATH_VARIABLES = frozenset({"HOME", "CDPATH", "GLOBIGNORE"})
"""Variables that change what `~`, `cd` and globs mean in commands that were judged without them."""

MODES: dict[str, Mode] = {
    "default": "default",
    "manual": "default",
    "acceptEdits": "acceptEdits",
    "plan": "plan",
    "dontAsk": "dontAsk",
    "bypassPermissions": "bypassPermissions",
    "auto": "default",
}
"""Accepted values of permissions.defaultMode; `auto` needs a second model and falls back to asking."""
