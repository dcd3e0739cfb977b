"""Models: one room for each server's protocol, behind `models.Provider`."""
