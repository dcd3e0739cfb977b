"""One turn, from the prompt to its end: requests, answers, calls, and what goes between them."""
