"""One machine: the supervisor of the services, and the demo."""
