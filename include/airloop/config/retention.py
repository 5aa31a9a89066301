"""How long `airloop maintain` keeps what nothing in force needs any more."""

from pydantic import Field

from airloop.config.node import Node


class Retention(Node):
    """Days of the wall clock. What the ledger, a registered version or a newer record stands on is never removed."""

    replaced_files_days: int = Field(default=30, ge=1)
    """Files of the lake that newer versions of a table replaced. A run that lasts longer than this may miss them."""
    reproduction_days: int | None = Field(default=365, ge=1)
    """So long after a training the versions of tables that its training set was made from stay, replaced or not:
    `airloop reproduce --from-lake` makes it again. null keeps them all."""
    replaced_records_days: int = Field(default=90, ge=1)
    """Records of data stages that a newer record of the same window replaced."""
    lineage_days: int | None = Field(default=365, ge=1)
    """Files of lineage events; null keeps them all."""
    reports_days: int | None = Field(default=None, ge=1)
    """Validation pages, profiles and drift reports; null keeps them all."""
