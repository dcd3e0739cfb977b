"""rein-tui: a terminal coding assistant that you can see through."""

__version__ = "0.1.0"
