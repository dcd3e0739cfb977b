"""The tools that a model can call, behind `protocol.tools.Tool`."""
