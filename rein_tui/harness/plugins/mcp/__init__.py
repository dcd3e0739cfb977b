"""MCP: servers that bring tools, resources and prompts, each in a task of its own that can harm only itself.

The `mcp` SDK is an optional extra; it is imported in a thread when the first server starts and never before.
"""
