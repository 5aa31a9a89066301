"""What holds a stream until it is consumed, one file a kind of broker."""
