"""The demo: a scripted model with the real harness, real tools in a scratch folder, real questions and real hooks."""
