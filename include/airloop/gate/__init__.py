"""Evidence to champion: decide, promote, reconcile."""
