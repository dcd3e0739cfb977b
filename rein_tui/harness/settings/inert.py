"""Keys of the ecosystem that are accepted and change nothing here: told by the doctor, listed in docs/settings.md."""

from collections.abc import Iterator

from rein_tui.harness.protocol.decisions import Source

from .layers import Settings

WITHOUT_EFFECT: tuple[str, ...] = (
    *"plansDirectory respondToBashCommands defaultShell includeCoAuthoredBy strictPluginOnlyCustomization".split(),
    *"disableAutoMode permissions.disableAutoMode autoMode useAutoModeDuringPlan".split(),
    *"disableClaudeAiConnectors allowAllClaudeAiMcps syncClaudeAiSkills forceLoginMethod forceLoginOrgUUID".split(),
    *"forceRemoteSettingsRefresh awsAuthRefresh awsCredentialExport gcpAuthRefresh otelHeadersHelper".split(),
    *"theme editorMode tui viewMode verbose maxTokens spinnerVerbs spinnerTipsOverride spinnerTipsEnabled".split(),
    *"prefersReducedMotion terminalProgressBarEnabled showTurnDuration showThinkingSummaries voiceEnabled".split(),
    *"companyAnnouncements subagentStatusLine askUserQuestionTimeout preferredNotifChannel".split(),
    *"autoUpdates autoUpdatesChannel minimumVersion disableWorkflows disableDeepLinkRegistration".split(),
    *"teammateMode worktree sandbox.allowUnsandboxedCommands".split(),
    *"sandbox.ignoreViolations sandbox.credentials sandbox.filesystem.disabled".split(),
    *"sandbox.network.allowUnixSockets sandbox.network.allowAllUnixSockets sandbox.network.allowLocalBinding".split(),
    *"sandbox.network.httpProxyPort sandbox.network.socksProxyPort".split(),
)
"""Dotted. What would let more through stays shut; there is nothing here that the others could change."""


def without_effect(settings: Settings) -> Iterator[tuple[str, Source]]:
    """The keys among these that somebody sets, with the place of each."""
    for name in WITHOUT_EFFECT:
        way = name.split(".")
        yield from ((name, layer.source(*way)) for layer in settings.layers if layer.value(*way) is not None)
