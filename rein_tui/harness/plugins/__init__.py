"""Plugins, commands, skills, agents, marketplaces and MCP servers."""
