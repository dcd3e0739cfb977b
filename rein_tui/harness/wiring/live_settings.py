"""Settings that changed on disk take effect with the next turn: rules, hooks and their switches, variables."""

from collections.abc import Callable
from dataclasses import dataclass

from ..hooks.context import HookSwitches
from ..hooks.engine import Hooks
from ..permissions.policy import Policy
from ..protocol.events import ModeChanged, Notice
from ..protocol.hooks import HookCall, HookSpec
from ..protocol.ports import Emit
from ..settings.layers import Settings
from ..settings.watch import SettingsWatch

_SOURCES = {
    "managed": "policy_settings",
    "user": "user_settings",
    "project": "project_settings",
    "local": "local_settings",
}


@dataclass(slots=True)
class LiveSettings:
    """What follows the settings of one session; `took` hears of new ones, too, and may have something to tell."""

    watch: SettingsWatch
    policy: Policy
    hooks: Hooks
    specs_of: Callable[[Settings], tuple[list[HookSpec], list[Notice]]]
    switches_of: Callable[[Settings], HookSwitches]
    took: Callable[[Settings], Notice | None]

    async def refresh(self, tell: Emit) -> None:
        """Take over what changed since the last turn, unless a ConfigChange hook forbids it."""
        before = self.watch.current
        fresh = self.watch.poll() or self.watch.poll()
        if fresh is None:
            return
        changed = _changed_layers(before, fresh)
        if await self._is_forbidden(changed, tell):
            return
        mode = self.policy.mode
        self.policy.use(fresh)
        if self.policy.mode != mode:
            await tell(ModeChanged(mode=self.policy.mode))
        told = self.took(fresh)
        specs, problems = self.specs_of(fresh)
        self.hooks.replace(specs, self.switches_of(fresh))
        names = ", ".join(path or layer for layer, path in changed) or "settings"
        await tell(Notice(text=f"Settings changed and hold from now on: {names}", code="settings_changed"))
        if told is not None:
            await tell(told)
        for notice in (*fresh.problems, *problems):
            if notice not in before.problems:
                await tell(notice)

    async def _is_forbidden(self, changed: list[tuple[str, str]], tell: Emit) -> bool:
        if not self.hooks.has("ConfigChange"):
            return False
        forbidden = False
        for layer, path in changed:
            source = _SOURCES.get(layer, "user_settings")
            payload = {"source": source, "file_path": path}
            outcome = await self.hooks.fire(HookCall(point="ConfigChange", subject=source, payload=payload), tell)
            forbidden = forbidden or (outcome.blocked and layer != "managed")
        return forbidden


def _changed_layers(before: Settings, after: Settings) -> list[tuple[str, str]]:
    """(layer, path) of every file whose content differs."""
    old = {layer.path: layer for layer in before.layers}
    new = {layer.path: layer for layer in after.layers}
    return [
        ((new.get(path) or old[path]).layer, path)
        for path in dict.fromkeys((*old, *new))
        if (old[path].data if path in old else None) != (new[path].data if path in new else None)
    ]
