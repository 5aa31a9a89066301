"""The landing folder: how files and tables come into it, and how they are read as typed rows of a feed."""
