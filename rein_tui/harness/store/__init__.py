"""The session store: facts in SQLite, checkpoints of files, the transcript that hooks read, export and import.

It knows facts and folders. It does not know the loop, a provider or a screen.
"""
