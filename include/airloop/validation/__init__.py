"""What a table has to keep, what broke it, the page that says so, and the rows that were refused."""
