"""What is seen of a champion after a window: drift, live performance, and the report of both."""
