"""Where the rows of a feed may be fetched from, one file a kind of source."""
