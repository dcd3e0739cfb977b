"""The journal of facts, file checkpoints, the transcript that hooks read, and the request builder."""
