"""What a child may see of this process: an environment without secrets, and no view of our memory."""

import gc
import os
import re
import sys
from collections.abc import Mapping

_NAMES = """
PATH HOME USER LOGNAME SHELL LANG LANGUAGE TERM TZ TMPDIR TEMP TMP COLORTERM NO_COLOR FORCE_COLOR CLICOLOR
LS_COLORS EDITOR VISUAL PAGER DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS HOSTNAME CI PWD
VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV PYENV_ROOT PYENV_VERSION PYTHONPATH PYTHONUTF8
JAVA_HOME GOPATH GOROOT GOPROXY GOFLAGS CARGO_HOME RUSTUP_HOME NVM_DIR NVM_BIN NODE_PATH NODE_ENV
NODE_EXTRA_CA_CERTS VOLTA_HOME PNPM_HOME BUN_INSTALL DENO_DIR GEM_HOME GEM_PATH RBENV_ROOT SDKMAN_DIR
ANDROID_HOME HOMEBREW_PREFIX MANPATH INFOPATH PKG_CONFIG_PATH LD_LIBRARY_PATH DYLD_LIBRARY_PATH CC CXX
HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy
SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO
PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CERT UV_INDEX_URL UV_CACHE_DIR NPM_CONFIG_REGISTRY npm_config_registry
KUBECONFIG DOCKER_HOST WSL_DISTRO_NAME
SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT APPDATA LOCALAPPDATA USERPROFILE USERNAME PROGRAMFILES PROGRAMDATA
"""
_ALLOWED = frozenset(_NAMES.split())
_FOLDERS = frozenset({"PATH", "HOME", "PWD", "SHELL", "TMPDIR", "USERPROFILE", "SYSTEMROOT"})
"""Without these nothing works, and a folder's name may look like a key."""

_PREFIXES = ("LC_", "XDG_")
# Compiled when the first child starts: no screen has one before its first frame.
_TELLING_NAME = r"(?i)TOKEN|SECRET|PASSW|PASSPHRASE|KEY|AUTH|CRED|PRIVATE"
_TELLING_VALUE = (
    r"://[^/\s:@]*:[^/\s@]+@"  # a URL with a password
    r"|\b(?:sk|pk|rk)-[\w-]{16,}|\bgh[oprsu]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeprs]-[\w-]{10,}"
    r"|\bA(?:KIA|SIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\bhf_\w{20,}|\bnpm_\w{30,}|\bpypi-[\w-]{30,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\."
)


def child_environment(
    extra: Mapping[str, str] | None = None, source: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment for a child: known harmless names of `source` (ours by default), nothing that looks secret.

    `extra` is what somebody configured on purpose: it is added as it is.
    """
    source = os.environ if source is None else source
    kept = {name: value for name, value in source.items() if _is_harmless(name, value)}
    return kept | dict(extra or {})


def _is_harmless(name: str, value: str) -> bool:
    known = name in _ALLOWED or name.startswith(_PREFIXES) or (sys.platform == "win32" and name.upper() in _ALLOWED)
    if not known or re.search(_TELLING_NAME, name):
        return False
    return name in _FOLDERS or not re.search(_TELLING_VALUE, value)


def collect_garbage() -> None:
    """Begin to collect garbage, if a start has put it off; what is there by now is looked through no more."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def stand_apart() -> None:
    """What must be so before the first child is started: it reads nothing of ours, and leaves nobody behind."""
    hide_from_children()
    set_child_subreaper()


def set_child_subreaper() -> bool:
    """Inherit orphaned descendants instead of losing them to init. Linux only; whether it worked."""
    return _prctl(36, 1)


def hide_from_children() -> bool:
    """Keep children of the same user from reading our memory and first environment. Linux only; whether it worked."""
    return _prctl(4, 0)


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    import ctypes

    try:
        return ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0
    except (OSError, AttributeError):
        return False
