"""What each feed looked like in the windows before, in small numbers, and what a new window has to say against it."""
