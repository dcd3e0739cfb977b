"""Servers that tests speak to over loopback."""
