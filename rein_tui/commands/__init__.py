"""Slash commands and palette entries: one registry, one file a family."""
