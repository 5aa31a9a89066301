"""Each kind of fault planted into each column of any table, and what is said to the windows it lies in."""
