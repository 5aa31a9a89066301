"""MLflow: runs, versions, aliases, the tables of its database."""
