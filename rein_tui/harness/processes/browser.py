"""Opens an address in the person's browser, and says whether one opened.

The browser gets no terminal: one that would draw in ours could not start, and the address is told instead.
"""

import asyncio
import subprocess
import sys

PATIENCE = 10.0
"""Seconds after which a browser that has not come back counts as opened."""

_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"


async def open_in_browser(url: str) -> bool:
    """Open it; false where there is no browser that could. Never raises."""
    return await asyncio.to_thread(_opened, url)


def _opened(url: str) -> bool:
    nothing = subprocess.DEVNULL
    try:
        argv = [sys.executable, "-I", "-c", _OPEN, url]
        process = subprocess.Popen(argv, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
        return process.wait(PATIENCE) == 0
    except subprocess.TimeoutExpired:
        return True
    except (OSError, ValueError):
        return False
