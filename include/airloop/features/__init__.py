"""From clean rows to feature rows: sections of SQL, transforms, arrays, what Feast knows, and the leak check."""
