"""The harness: everything between a prompt and its answer, without a screen.

It imports neither textual, rich, pygments nor fastapi, and nothing of `rein_tui` outside itself.
"""
