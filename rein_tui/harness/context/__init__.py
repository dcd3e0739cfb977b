"""What the model is told besides the conversation: system prompt, memory files, references, and what it all weighs.

It reads files and makes text. It does not know the loop, a provider or a screen.
"""
