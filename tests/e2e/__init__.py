"""A package, so that its platform stops after its last test and not with the session."""
