"""Rules for "always": one for each part that asked, narrow enough to be shown and understood."""

from collections.abc import Sequence

from .escapes import escape_of
from .parts import PartVerdict
from .wrappers import INTERPRETERS, SHELLS, WRAPPERS, base_name

MAX_SUGGESTIONS = 5
STAR = "\\*"
_MAX_EXACT = 500
_NEVER = (
    SHELLS | INTERPRETERS | frozenset(WRAPPERS) | frozenset("git npx bunx pnpx dlx uvx pipx eval exec".split())
) - frozenset("make gmake find sed timeout time nice nohup".split())
_ACTIONS = frozenset(
    "npm yarn pnpm bun cargo go docker podman kubectl helm terraform gh glab pip pip3 uv poetry pdm "
    "hatch bundle gem rails "
    "dotnet mvn gradle swift flutter dart composer artisan mix stack cabal brew apt apt-get dnf "
    "systemctl aws gcloud az "
    "heroku vercel netlify firebase nx turbo lerna rush just task conda mamba tox nox pre-commit ng vue".split()
)
_SCRIPTS = frozenset("npm yarn pnpm bun poetry uv pdm hatch cargo docker kubectl gh".split())
_SECOND = frozenset("run run-script exec compose pr issue repo".split())
_EXACT = frozenset(
    "rm rmdir curl wget chmod chown chgrp dd kill pkill killall ssh scp rsync mv cp ln shred truncate mount umount nc "
    "ncat find sed crontab at systemctl shutdown reboot".split()
)


def suggested_rules(parts: Sequence[PartVerdict]) -> tuple[str, ...]:
    """One rule for each part that asked; none at all when some part could not be answered by a rule."""
    rules: dict[str, None] = {}
    for part in parts:
        if part.outcome == "allow":
            continue
        rule = part.path_fix or (suggested_rule(part.fix) if part.fix and part.fixable else "")
        if not rule:
            return ()
        rules[rule] = None
    return tuple(rules) if len(rules) <= MAX_SUGGESTIONS else ()


def exact_rules(parts: Sequence[PartVerdict]) -> tuple[str, ...]:
    """The very commands that asked, as rules; none at all when some part could not be answered by a rule."""
    rules: dict[str, None] = {}
    for part in parts:
        if part.outcome == "allow":
            continue
        plain = part.fix and part.text.isprintable() and len(part.text) <= _MAX_EXACT
        rule = part.path_fix or (f"Bash({part.text.replace('*', STAR)})" if plain else "")
        if not rule:
            return ()
        rules[rule] = None
    return tuple(rules) if len(rules) <= MAX_SUGGESTIONS else ()


def is_lasting(parts: Sequence[PartVerdict]) -> bool:
    """Whether a rule for the very commands means the same tomorrow: not for git, an interpreter or a wrapper."""
    programs = {base_name(part.fix[0]) for part in parts if part.outcome != "allow" and part.fix}
    return not programs & _NEVER


def suggested_rule(argv: Sequence[str]) -> str:
    """The rule to save for a command; "" when none should be."""
    program = argv[0]
    if base_name(program) in _NEVER or ("/" in program and not program.startswith("./")):
        return ""
    if any(not word.isprintable() or set("*'\"\\$`()") & set(word) for word in argv[:3]):
        return ""
    if program in _EXACT or escape_of(argv):
        return _exact(argv)
    words = [program]
    if program in _ACTIONS and len(argv) > 1 and not argv[1].startswith("-"):
        words.append(argv[1])
        if program in _SCRIPTS and argv[1] in _SECOND and len(argv) > 2 and not argv[2].startswith("-"):
            words.append(argv[2])
    return f"Bash({' '.join(words)} *)"


def _exact(argv: Sequence[str]) -> str:
    plain = all(word and not set(word) & set(" \t\n*'\"\\$`();&|<>{}[]?#~!") for word in argv)
    return f"Bash({' '.join(argv)})" if plain else ""
