"""The pictures of the README, taken of real stories: `python -m tests.pictures screenshots [WIDTHxHEIGHT]`."""
