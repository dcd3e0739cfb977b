"""`rein-tui` and `python -m rein_tui`."""

import gc
import os
import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    gc.disable()  # what imports make stays: looking through it again and again is a tenth of a start
    # Frames of a stream are fifteen a second whatever this says: it is how long a key's echo may have to wait for the
    # one that was just painted.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from .cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
