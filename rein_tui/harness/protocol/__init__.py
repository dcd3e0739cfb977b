"""The words of the harness: messages, events, decisions, hook runs, ports and errors.

This folder holds values and protocols and no behaviour beyond trivial accessors. Everything else may
import it; it imports nothing of `rein_tui` but itself. Widgets, the wire and the tests' stories know the
harness only through these words.
"""
