"""`airloop test`: features.sql over a few written rows, compared with what its author expects of it."""

from airloop.authoring.row_test.files import RowTest, read_tests
from airloop.authoring.row_test.run import differences

__all__ = ["RowTest", "differences", "read_tests"]
