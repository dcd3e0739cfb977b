"""The command line: from arguments to a screen, a printed answer or a subcommand."""
