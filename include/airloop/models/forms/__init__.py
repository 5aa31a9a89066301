"""Fast forms: the same model without data frames, each used only where it agrees with the pipeline it was made of."""
