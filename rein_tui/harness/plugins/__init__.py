"""What people bring: commands, skills, agents, hooks, servers and styles, from their folders, plugins and marketplaces.

Everything here is read leniently and reported exactly: one bad entry is told with its file and line, and left out.
"""
