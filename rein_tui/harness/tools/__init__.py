"""The tools that a model can call, behind `ports.Tool`."""
