"""Models: one room for each server's protocol, behind `ports.Provider`."""
