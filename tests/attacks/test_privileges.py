"""What each role may read, write and use: nothing that is not listed here."""

import pytest

from tests.attacks.catalogue import LOGINS, OURS, Catalogue, granted

HEALTH = (
    "allergy",
    "allergy_reaction",
    "condition",
    "document",
    "imaging_study",
    "prescription",
    "prescription_item",
    "progress_note",
    "reported_reaction",
    "test_report",
    "test_result",
    "vaccination",
    "vaccination_reaction",
    "visit",
    "visit_diagnosis",
    "visit_insurance",
    "visit_service",
    "vital_signs",
    "withdrawal",
)


LEDGER = {
    "auth.consent",
    "auth.consent_text",
    "auth.disowned_visit",
    "auth.identifier_join",
    "auth.representation",
    "auth.representation_claim",
}
"""Of these it sees no row."""


QUEUE = {f"jobs.{name}" for name in ("pgqueuer", "pgqueuer_log", "pgqueuer_schedules", "pgqueuer_statistics")}


BOOK_OF_VISITORS = {
    f"audit.{name}" for name in ("checkpoint", "head", "leaf", "line", "question", "sealer_key", "tile", "tree")
}


READ = (
    {f"book.{name}" for name in HEALTH}
    | {
        "audit.line",
        "book.record_version",
        "auth.book",
        "code.scheduled_dose",
        "code.test_unit",
        "code.reuse_rule",
        "directory.laboratory_level",
        "auth.citizen",
        "auth.identifier",
        "auth.representation",
        "auth.correction",
        "auth.resent",
        "care.appointment",
        "code.entry",
        "directory.facility",
    }
    | LEDGER
)
"""What operations read: deployed ones as `book_reader`, those of the demo as `demo`."""
READS = {
    "auditor": BOOK_OF_VISITORS,
    "auth_owner": {"code.edition", "code.entry"},
    "desk": {
        "auth.book_grant",
        "auth.share_code",
        "auth.share_request",
        "auth.share_try",
        "notice.notice",
        "notice.preference",
        "notice.push_target",
        "audit.leaf",
        "audit.line",
        "audit.question",
        "auth.citizen",
        "auth.identifier",
        "auth.pairing",
        "auth.practitioner",
        "auth.practitioner_place",
        "auth.representation",
        "care.appointment",
        "care.slot",
        "care.waitlist_entry",
        "care.waitlist_offer",
        "code.entry",
        "directory.facility",
    }
    | LEDGER,
    "ingest": set(),
    "porter": set(),
    "sealer": {"audit.leaf", "audit.tile"},
    "worker": {f"book.{name}" for name in (*HEALTH, "arrival_order", "record_version")}
    | QUEUE
    | {"code.entry", "code.sensitive", "directory.facility", "directory.facility_change"},
    "book_reader": READ,
    "demo": READ,
    "book_writer": {f"book.{name}" for name in (*HEALTH, "arrival_order")} | {"care.appointment"},
}


CHANGES = {
    "worker": {f"book.{name}" for name in (*HEALTH, "arrival_order")} | QUEUE,
    "book_writer": {f"book.{name}" for name in (*HEALTH, "arrival_order")} | {"care.appointment"},  # the mask's alone
}


ADDS = {"worker": CHANGES["worker"] | {"book.record_version"}, "book_writer": {"book.reported_reaction"}}


SCHEMAS = {
    "api": {"op"},
    "desk": {"audit", "auth", "book", "care", "code", "desk_op", "directory", "notice"},
    "porter": {"auth"},
    "ingest": {"auth", "care", "intake"},
    "worker": {"auth", "book", "care", "code", "directory", "intake", "jobs", "notice"},
    "demo": {"audit", "auth", "book", "care", "code", "directory"},
    "sealer": {"audit"},
    "auditor": {"audit"},
    "backup": set(),
    "migrator": {"deploy"},
}


def test_t2_what_each_role_may_read_and_write_is_listed(catalogue: Catalogue) -> None:
    wanted = {role: tables for role, tables in READS.items() if tables}
    assert granted(catalogue, "SELECT") == wanted
    assert granted(catalogue, "INSERT") == ADDS
    assert granted(catalogue, "UPDATE") == CHANGES
    assert granted(catalogue, "DELETE", columns=False) == {"worker": CHANGES["worker"]}


def test_t2_who_changes_a_book_changes_its_masks_alone(catalogue: Catalogue) -> None:
    columns = catalogue.column("""
        SELECT DISTINCT a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace IN ('book'::regnamespace, 'care'::regnamespace) AND c.relkind = 'r' AND a.attnum > 0
           AND has_column_privilege('book_writer', c.oid, a.attnum, 'UPDATE')""")
    assert columns == {"masked", "hidden"}


@pytest.mark.parametrize("privilege", ["TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"])
def test_t2_nobody_is_granted(catalogue: Catalogue, privilege: str) -> None:
    assert granted(catalogue, privilege, columns=privilege == "REFERENCES") == {}


def test_t2_versions_are_append_only_for_every_login(catalogue: Catalogue) -> None:
    for privilege in ("UPDATE", "DELETE", "TRUNCATE"):
        columns = privilege == "UPDATE"
        roles = [r for r, t in granted(catalogue, privilege, columns=columns).items() if "book.record_version" in t]
        assert roles == []


def test_t2_each_login_uses_its_schemas_and_creates_nowhere(catalogue: Catalogue) -> None:
    found: dict[str, set[str]] = {login: set() for login in LOGINS}
    for role, schema in catalogue.rows(f"""
            SELECT r.rolname, n.nspname FROM pg_namespace n CROSS JOIN pg_roles r
             WHERE {OURS} AND r.rolcanlogin AND NOT r.rolsuper AND has_schema_privilege(r.oid, n.oid, 'USAGE')"""):
        found[role].add(schema)
    assert found == SCHEMAS
    creators = catalogue.rows("""
        SELECT r.rolname, n.nspname FROM pg_namespace n CROSS JOIN pg_roles r
         WHERE r.rolcanlogin AND NOT r.rolsuper AND has_schema_privilege(r.oid, n.oid, 'CREATE')""")
    assert creators == [["migrator", "deploy"]]


def test_t2_no_login_may_make_schemas_or_temporary_tables(catalogue: Catalogue) -> None:
    able = catalogue.rows("""
        SELECT r.rolname, p FROM pg_roles r, unnest(ARRAY['TEMP', 'CREATE']) p
         WHERE NOT r.rolsuper AND r.rolname !~ '^pg_' AND has_database_privilege(r.oid, current_database(), p)""")
    assert able == []


def test_t2_only_the_worker_has_sequences(catalogue: Catalogue) -> None:
    users = catalogue.rows(f"""
        SELECT DISTINCT r.rolname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN pg_roles r WHERE {OURS} AND c.relkind = 'S' AND NOT r.rolsuper AND r.rolname !~ '^pg_'
           AND r.oid <> c.relowner AND has_sequence_privilege(r.oid, c.oid, 'USAGE, SELECT, UPDATE')""")
    assert users == [["worker", "jobs"]]


def test_t2_no_login_may_set_or_read_what_only_a_superuser_should(catalogue: Catalogue) -> None:
    assert catalogue.rows("SELECT parname FROM pg_parameter_acl") == []
    members = catalogue.rows("""
        SELECT r.rolname, g.rolname FROM pg_roles r, pg_roles g
         WHERE r.rolcanlogin AND NOT r.rolsuper AND g.rolname ~ '^pg_' AND pg_has_role(r.oid, g.oid, 'MEMBER')""")
    assert members == []
