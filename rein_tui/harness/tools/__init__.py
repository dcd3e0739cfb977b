"""The tools that a model can call, behind `tools.Tool`."""
