"""Models: one room for each server's protocol, behind `protocol.models.Provider`."""
