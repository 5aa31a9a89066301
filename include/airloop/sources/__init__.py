"""How rows come to land: tables and files that people bring, SQL sources, replays of the past."""
