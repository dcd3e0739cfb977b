"""Panes: each folds events and draws; they know the harness by its words only."""
