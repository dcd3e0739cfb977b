"""Child processes: started in groups of their own, read with bounds, ended with all that they started."""
