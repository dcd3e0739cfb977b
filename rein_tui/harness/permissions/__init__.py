"""The permission engine: rules, shell analysis, paths, and the decision that explains itself."""
