"""What the model is told besides the conversation: system prompt, memory files, references."""
