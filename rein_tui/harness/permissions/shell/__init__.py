"""What a Bash line would do, and whether it may: parse, understand, decide. Knows no settings and no screen.

`evaluate.evaluate(command, scene)` is the one question; `types` says what it needs and what it answers;
`patterns` matches rule patterns, also for other tools.
"""
