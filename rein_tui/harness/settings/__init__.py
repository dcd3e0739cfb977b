"""Settings in layers: loading, merging with provenance, trust."""
