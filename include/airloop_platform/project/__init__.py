"""`airloop init`: a project of one's own, which depends on the installed packages by their version."""
