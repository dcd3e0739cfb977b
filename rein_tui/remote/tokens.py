"""Where the tokens of a server come from: the environment, a file, or made at start."""

import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ConfigError, StartError

_SHORTEST_TOKEN = 16


def generated_token(places: Places, port: int) -> Path:
    """Where the token that was made at start is kept while the server runs."""
    return places.data / "run" / f"server-{port}.token"


@contextmanager
def tokens_of(file: Path | None, made: Path) -> Generator[tuple[dict[str, str], str]]:
    """Tokens by principal, and where they come from in words: REIN_TUI_TOKEN, this file, else one made at `made`.

    What was made goes away at the end. Raises ConfigError, StartError.
    """
    given = os.environ.pop("REIN_TUI_TOKEN", "")  # what we start inherits our environment
    if given:
        yield {"owner": checked_token(given, "REIN_TUI_TOKEN")}, "The token is REIN_TUI_TOKEN."
    elif file is not None:
        yield read_tokens(file), f"The token is in {file}"
    else:
        try:
            yield {"owner": make_token(made)}, f"The token is in {made}"
        finally:
            made.unlink(missing_ok=True)


def read_tokens(path: Path) -> dict[str, str]:
    """Tokens of a file: one a line, or `name token` for several principals. Raises ConfigError."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The token file cannot be read: {error}", where=str(path)) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError("Others may read the token file.", where=str(path), hint=f"chmod 600 {path}")
    tokens: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        name, token = ("owner", words[0]) if len(words) == 1 else (words[0], words[-1])
        if len(words) > 2 or name in tokens:
            raise ConfigError("One token a line: TOKEN, or NAME TOKEN.", where=f"{path}:{number}")
        tokens[name] = checked_token(token, f"{path}:{number}")
    if not tokens:
        raise ConfigError("There is no token in the file.", where=str(path))
    return tokens


def checked_token(token: str, where: str) -> str:
    """A token that is long enough. Raises ConfigError."""
    if len(token) < _SHORTEST_TOKEN:
        raise ConfigError(f"A token needs {_SHORTEST_TOKEN} characters.", where=where, hint="openssl rand -hex 32")
    return token


def make_token(path: Path) -> str:
    """A fresh token, in a file that only this person may read. Raises StartError."""
    token = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
    except OSError as error:
        raise StartError(f"The token file cannot be written: {error}", where=str(path)) from error
    return token
