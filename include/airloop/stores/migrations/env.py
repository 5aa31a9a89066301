"""How Alembic runs the revisions: on the connection it is handed, in that connection's transaction."""

from alembic import context

from airloop.stores.migrations import TABLE

connection = context.config.attributes["connection"]
# SQLite takes a table back like a row, when the driver leaves transactions alone (airloop.stores.state).
context.configure(connection=connection, version_table=TABLE, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
