"""The doctor: looks at everything that a session stands on, and says what to do. Looks only; changes nothing."""
