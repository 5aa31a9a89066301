"""The revisions of the state database, one a file."""
