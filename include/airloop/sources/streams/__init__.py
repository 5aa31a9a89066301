"""Streams: events become landed files of their feed, and at once the online values of views that read one event."""
