"""Settings in layers: loading, merging with provenance, trust."""

from .layers import Settings, SettingsLayer
from .load import load_settings

__all__ = ["Settings", "SettingsLayer", "load_settings"]
