"""Run by Alembic for each upgrade; the connection comes from `fer_core.sessions.database`."""

from alembic import context

from fer_core.sessions.schema import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables,
    render_as_batch=True,  # SQLite alters a column by copying its table
    transaction_per_migration=False,
)
context.run_migrations()
