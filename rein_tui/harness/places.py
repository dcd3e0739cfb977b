"""Where things live on this machine: one value, built once from the environment, injected everywhere.

Tests build their own, so that no test ever touches a real home folder.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec


class Places(msgspec.Struct, frozen=True):
    """Folders and files outside the project.

    `config` is the ecosystem's folder (`~/.claude`, or CLAUDE_CONFIG_DIR); `global_state` its `.claude.json`.
    `managed` is the administrator's folder. `data`, `cache` and `state` are our own.
    """

    home: Path
    config: Path
    managed: Path
    data: Path
    cache: Path

    @property
    def global_state(self) -> Path:
        """`~/.claude.json`, or `$CLAUDE_CONFIG_DIR/.claude.json`."""
        return self.home / ".claude.json" if self.config == self.home / ".claude" else self.config / ".claude.json"

    @property
    def user_settings(self) -> Path:
        """The person's own settings file."""
        return self.config / "settings.json"

    @property
    def database(self) -> Path:
        """The session store."""
        return self.data / "sessions.db"

    @property
    def trust_file(self) -> Path:
        """Our own trust records, with the digest of what was trusted."""
        return self.data / "trust.json"


def _managed_folder() -> Path:
    if sys.platform == "darwin":
        return Path("/Library/Application Support/ClaudeCode")
    if sys.platform == "win32":
        return Path(r"C:\Program Files\ClaudeCode")
    return Path("/etc/claude-code")


def find_places(environment: Mapping[str, str] | None = None) -> Places:
    """The places of this machine and person. REIN_TUI_DATA_DIR and REIN_TUI_CACHE_DIR override ours."""
    env = os.environ if environment is None else environment
    home = Path(env.get("HOME") or env.get("USERPROFILE") or Path("~").expanduser())
    config = Path(env["CLAUDE_CONFIG_DIR"]).expanduser() if env.get("CLAUDE_CONFIG_DIR") else home / ".claude"
    if sys.platform == "darwin":
        data, cache = home / "Library/Application Support/rein-tui", home / "Library/Caches/rein-tui"
    elif sys.platform == "win32":
        local = Path(env.get("LOCALAPPDATA") or home / "AppData/Local")
        data, cache = local / "rein-tui", local / "rein-tui" / "cache"
    else:
        data = Path(env.get("XDG_DATA_HOME") or home / ".local/share") / "rein-tui"
        cache = Path(env.get("XDG_CACHE_HOME") or home / ".cache") / "rein-tui"
    if env.get("REIN_TUI_DATA_DIR"):
        data = Path(env["REIN_TUI_DATA_DIR"]).expanduser()
    if env.get("REIN_TUI_CACHE_DIR"):
        cache = Path(env["REIN_TUI_CACHE_DIR"]).expanduser()
    return Places(home=home, config=config, managed=_managed_folder(), data=data, cache=cache)
