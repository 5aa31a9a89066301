"""For whoever has to check a version from outside: one archive with everything it rests on."""
