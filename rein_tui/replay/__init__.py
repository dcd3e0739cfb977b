"""A recorded session played again through the real screen, with nothing run."""
