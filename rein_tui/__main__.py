"""`rein-tui` and `python -m rein_tui`."""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    from .cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
