"""Where a session is put together: the only rooms that know concrete classes."""
