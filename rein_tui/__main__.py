"""`rein-tui` and `python -m rein_tui`."""

import gc
import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    gc.disable()  # what imports make stays: looking through it again and again is a tenth of a start
    from .cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
