"""features.sql on an engine that does not speak DuckDB's SQL: what of it is proven there, and how it is written."""
