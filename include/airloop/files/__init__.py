"""Files as they lie on a disk or in a bucket: which of a Delta table's are read, at which version, and private ones."""
