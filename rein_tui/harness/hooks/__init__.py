"""Hooks: parsing, matching, running, merging."""
