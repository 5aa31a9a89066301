"""Where the queries of features.sql run: one file an engine, three calls each."""
