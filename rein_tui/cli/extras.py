"""Optional extras: what is not installed is said with the line that installs it."""

import importlib.util

from ..harness.protocol.errors import StartError


def need(module: str, extra: str) -> None:
    """Raises StartError when an optional extra is not installed."""
    if importlib.util.find_spec(module) is None:
        raise StartError(f"This needs the optional extra {extra!r}.", hint=f"pip install 'rein-tui[{extra}]'")
