"""The queue's tables are those that the library's pinned release declares."""

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

from tests.contract.test_house import ROOT


def test_the_migration_installs_what_the_library_declares() -> None:
    declared = QueryBuilderEnvironment(DBSettings(db_schema="jobs")).build_install_query()
    kept = (ROOT / "migrations" / "queue" / "pgqueuer.sql").read_text(encoding="utf-8")

    assert declared.strip() in kept.strip()
