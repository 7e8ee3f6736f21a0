"""Questions to the catalogue of PostgreSQL, and the logins that there are."""

from app.core.settings import Settings
from tests.conftest import Ground

OURS = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"


LOGINS = ("api", "desk", "porter", "ingest", "worker", "sealer", "auditor", "migrator", "backup", "demo")


class Catalogue:
    """Asks pg_catalog as superuser."""

    def __init__(self, ground: Ground, settings: Settings) -> None:
        self._ask = ground.cluster.psql
        self._database = settings.database_url.rpartition("/")[2]

    def rows(self, query: str) -> list[list[str]]:
        return [line.split("|") for line in self._ask(query, self._database).splitlines()]

    def pairs(self, query: str) -> dict[str, str]:
        return {first: second for first, second in self.rows(query)}  # noqa: C416 - rows are lists of two

    def column(self, query: str) -> set[str]:
        return {row[0] for row in self.rows(query)}


def granted(catalogue: Catalogue, privilege: str, *, columns: bool = True) -> dict[str, set[str]]:
    """Return, by role, the tables on which a privilege is granted, on a column at least; owners left out."""
    on_columns = f"OR has_any_column_privilege(r.oid, c.oid, '{privilege}')" if columns else ""
    rows = catalogue.rows(f"""
        SELECT r.rolname, n.nspname || '.' || c.relname FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN pg_roles r
         WHERE {OURS} AND c.relkind IN ('r', 'p') AND NOT r.rolsuper AND r.rolname !~ '^pg_'
           AND r.oid <> c.relowner
           AND (has_table_privilege(r.oid, c.oid, '{privilege}') {on_columns})""")
    found: dict[str, set[str]] = {}
    for role, table in rows:
        found.setdefault(role, set()).add(table)
    return found
