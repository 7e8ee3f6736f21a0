"""Alembic's environment: one transaction a migration, as the login `migrator`, whose time-outs
stand in infra/postgres/roles.sql."""

from alembic import context
from sqlalchemy import Connection

connection: Connection | None = context.config.attributes.get("connection")


def run(bound: Connection | None) -> None:
    context.configure(
        connection=bound,
        dialect_name=None if bound else "postgresql",
        target_metadata=context.config.attributes["metadata"],
        include_schemas=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name not in {None, "jobs", "public"},
        version_table="migration",
        version_table_schema="deploy",
        transaction_per_migration=True,
        as_sql=bound is None,
        literal_binds=bound is None,
    )
    with context.begin_transaction():
        context.run_migrations()


run(connection)
