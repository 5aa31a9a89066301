"""For the author of a pipeline: check, scaffold, review, notebook."""
