"""Real services of the integration tests."""

from collections.abc import Iterator

import pytest
from tests.support import postgresql


@pytest.fixture(scope="session")
def shop_url() -> Iterator[str]:
    """SQLAlchemy URL of a PostgreSQL of this session."""
    with postgresql.server() as folder:
        yield postgresql.url(folder)
