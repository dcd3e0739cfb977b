"""A real llama.cpp server with a small real model: structure is asserted, wording never."""
