"""The catalogue itself is tested: what nobody may forget when a table, function or role is added."""

from tests.attacks.catalogue import LOGINS, OURS, Catalogue

GUARDED = ("audit", "auth", "book", "care", "intake", "notice")

DEFINERS = {
    "audit.begin_sealing": "auth_owner",
    "audit.consistency_path": "auth_owner",
    "audit.inclusion_path": "auth_owner",
    "audit.latest_checkpoint": "auth_owner",
    "audit.question_line": "auth_owner",
    "audit.seal": "auth_owner",
    "audit.sealer_keys": "auth_owner",
    "audit.take_turn": "auth_owner",
    "audit.write_line": "auth_owner",
    "auth.accept_representation": "auth_owner",
    "auth.admit_person": "auth_owner",
    "auth.adopt_record": "auth_owner",
    "auth.announce": "auth_owner",
    "auth.answer_request": "auth_owner",
    "auth.ask_representative": "auth_owner",
    "auth.ask_share": "auth_owner",
    "auth.asked_of_me": "auth_owner",
    "auth.band_on": "auth_owner",
    "auth.begin_deed": "auth_owner",
    "auth.begin_factor": "auth_owner",
    "auth.begin_login": "auth_owner",
    "auth.book_changed": "auth_owner",
    "auth.calling_facility": "auth_owner",
    "auth.cancel_code": "auth_owner",
    "auth.claim_representation": "auth_owner",
    "auth.client_keys": "auth_owner",
    "auth.confirm_factor": "auth_owner",
    "auth.corrections_of": "auth_owner",
    "auth.count_try": "auth_owner",
    "auth.deed_is_done": "auth_owner",
    "auth.demo_window": "auth_owner",
    "auth.describe_citizen": "auth_owner",
    "auth.disown_visit": "auth_owner",
    "auth.disowned_state": "auth_owner",
    "auth.drop_patient": "auth_owner",
    "auth.end_deed": "auth_owner",
    "auth.end_other_sessions": "auth_owner",
    "auth.end_own_session": "auth_owner",
    "auth.end_provider_sessions": "auth_owner",
    "auth.end_representation": "auth_owner",
    "auth.end_reused": "auth_owner",
    "auth.end_sessions_but": "auth_owner",
    "auth.extent_on": "auth_owner",
    "auth.extent_today": "auth_owner",
    "auth.filing_citizens": "auth_owner",
    "auth.forget_deed": "auth_owner",
    "auth.forget_patient": "auth_owner",
    "auth.freeze_sharing": "auth_owner",
    "auth.give_consent": "auth_owner",
    "auth.hide_classes": "auth_owner",
    "auth.is_fresh": "auth_owner",
    "auth.is_stepped_up": "auth_owner",
    "auth.issue_handoff": "auth_owner",
    "auth.join_identifier": "auth_owner",
    "auth.let_go": "auth_owner",
    "auth.live_families": "auth_owner",
    "auth.live_session": "auth_owner",
    "auth.make_activation": "auth_owner",
    "auth.make_code": "auth_owner",
    "auth.match_person": "auth_owner",
    "auth.match_sent_patient": "auth_owner",
    "auth.is_my_familys": "auth_owner",
    "auth.me": "auth_owner",
    "auth.my_citizen_session": "auth_owner",
    "auth.my_dependants": "auth_owner",
    "auth.my_factor": "auth_owner",
    "auth.my_family": "auth_owner",
    "auth.my_practitioner": "auth_owner",
    "auth.my_session": "auth_owner",
    "auth.my_sessions": "auth_owner",
    "auth.my_visitors_books": "auth_owner",
    "auth.name_device": "auth_owner",
    "auth.narrows_on": "auth_owner",
    "auth.note_consent": "auth_owner",
    "auth.note_seen": "auth_owner",
    "auth.open_book": "auth_owner",
    "auth.open_client_session": "auth_owner",
    "auth.open_demo_book": "auth_owner",
    "auth.open_demo_granted_book": "auth_owner",
    "auth.open_demo_preview": "auth_owner",
    "auth.open_emergency": "auth_owner",
    "auth.note_keys": "auth_owner",
    "auth.open_filing": "auth_owner",
    "auth.open_granted_book": "auth_owner",
    "auth.open_naming": "auth_owner",
    "auth.open_preview": "auth_owner",
    "auth.open_reporting": "auth_owner",
    "auth.open_writing": "auth_owner",
    "auth.pair": "auth_owner",
    "auth.part_with_visit": "auth_owner",
    "auth.pending_factor": "auth_owner",
    "auth.person_of": "auth_owner",
    "auth.place_device": "auth_owner",
    "auth.practises": "auth_owner",
    "auth.practitioner_of_account": "auth_owner",
    "auth.prepare_split": "auth_owner",
    "auth.prepare_taking_back": "auth_owner",
    "auth.prepare_withdrawal": "auth_owner",
    "auth.redeem_code": "auth_owner",
    "auth.redeem_handoff": "auth_owner",
    "auth.register_birth": "auth_owner",
    "auth.renew_session": "auth_owner",
    "auth.represent_newborn": "auth_owner",
    "auth.representation": "auth_owner",
    "auth.representatives_of": "auth_owner",
    "auth.require_step_up": "auth_owner",
    "auth.revoke_grant": "auth_owner",
    "auth.note_correction": "auth_owner",
    "auth.note_resent": "auth_owner",
    "auth.resent_as": "auth_owner",
    "auth.resent_records": "auth_owner",
    "auth.restore_filed": "auth_owner",
    "auth.results_ready": "auth_owner",
    "auth.revoke_token": "auth_owner",
    "auth.settle_try": "auth_owner",
    "auth.sign_in": "auth_owner",
    "auth.stand_alone": "auth_owner",
    "auth.take_up_after": "auth_owner",
    "auth.take_up_of": "auth_owner",
    "auth.visit_of_day": "auth_owner",
    "auth.sweep_sharing": "auth_owner",
    "auth.take_activation": "auth_owner",
    "auth.take_emergency": "auth_owner",
    "auth.take_login": "auth_owner",
    "auth.take_try": "auth_owner",
    "auth.take_visit_back": "auth_owner",
    "auth.tell_birthdays": "auth_owner",
    "auth.undo_join": "auth_owner",
    "auth.unpair": "auth_owner",
    "auth.use_proof": "auth_owner",
    "auth.use_token": "auth_owner",
    "auth.visitors_book": "auth_owner",
    "auth.visits_of_message": "auth_owner",
    "auth.withdraw_claim": "auth_owner",
    "auth.withdraw_consent": "auth_owner",
    "book.are_records": "book_writer",
    "book.mask_records": "book_writer",
    "book.report_reaction": "book_writer",
    "book.request_correction": "book_writer",
    "care.answer_offer": "auth_owner",
    "care.appointment_for": "auth_owner",
    "care.book": "auth_owner",
    "care.calendar": "auth_owner",
    "care.cancel": "auth_owner",
    "care.file_appointments": "auth_owner",
    "care.join_waitlist": "auth_owner",
    "care.leave_waitlist": "auth_owner",
    "care.make_feed": "auth_owner",
    "care.may_see_appointment": "auth_owner",
    "care.may_see_entry": "auth_owner",
    "care.may_see_offer": "auth_owner",
    "care.mine": "auth_owner",
    "care.move_waitlist": "auth_owner",
    "care.next_slot_to_move": "auth_owner",
    "care.publish_schedules": "auth_owner",
    "care.reschedule": "auth_owner",
    "care.revoke_feeds": "auth_owner",
    "care.settle_slot": "auth_owner",
    "code.next_edition": "book_owner",
    "directory.image_link": "auth_owner",
    "intake.await_names": "auth_owner",
    "intake.conclude_message": "auth_owner",
    "intake.defer_message": "auth_owner",
    "intake.enqueue_message": "auth_owner",
    "intake.export_message": "auth_owner",
    "intake.exports": "auth_owner",
    "intake.file_again": "auth_owner",
    "intake.keep_message": "auth_owner",
    "intake.keep_split": "auth_owner",
    "intake.keep_withdrawal": "auth_owner",
    "intake.note_resources": "auth_owner",
    "intake.note_taken_back": "auth_owner",
    "intake.put_off_message": "auth_owner",
    "intake.receipt": "auth_owner",
    "intake.receipts": "auth_owner",
    "intake.replay_message": "auth_owner",
    "intake.replay_newborns": "auth_owner",
    "intake.sent_resources": "auth_owner",
    "intake.take_message": "auth_owner",
    "intake.take_up": "auth_owner",
    "intake.told_before": "auth_owner",
    "intake.unfiled_message": "auth_owner",
    "intake.unfiled_messages": "auth_owner",
    "intake.wait_for": "auth_owner",
    "intake.waiting_message": "auth_owner",
    "jobs.enqueue": "auth_owner",
    "notice.events_to_tell": "auth_owner",
    "notice.failed_pushes": "auth_owner",
    "notice.happened": "auth_owner",
    "notice.heard": "auth_owner",
    "notice.listen": "auth_owner",
    "notice.stop_listening": "auth_owner",
    "notice.mark_read": "auth_owner",
    "notice.register_target": "auth_owner",
    "notice.remind": "auth_owner",
    "notice.remind_early": "auth_owner",
    "notice.sweep_next": "auth_owner",
    "notice.remove_target": "auth_owner",
    "notice.representatives": "auth_owner",
    "notice.set_preferences": "auth_owner",
    "notice.settle_pushes": "auth_owner",
    "notice.still_stands": "auth_owner",
    "notice.take_events": "auth_owner",
    "notice.take_pushes": "auth_owner",
    "notice.tell": "auth_owner",
    "notice.tell_apart": "auth_owner",
    "op.announce": "book_reader",
    "op.names": "book_reader",
}
"""Every SECURITY DEFINER function and its owner. Operations (`op.*`) come from graphql/trusted.json."""

BOUND = {"auth.bands", "auth.closed_from", "auth.extent_of"}
"""The functions whose text was bound when they were made: without a search path they become part of statements."""


OPEN_NONE = {"op.announce", "op.names"}
"""The functions in `op` that open no book: one writes down that it will be opened, one reads public lists."""


def test_t2_every_guarded_table_has_forced_row_level_security_and_a_policy(catalogue: Catalogue) -> None:
    guarded = catalogue.rows(f"""
        SELECT n.nspname || '.' || c.relname, c.relrowsecurity, c.relforcerowsecurity,
               (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {OURS} AND c.relkind IN ('r', 'p') AND (n.nspname IN {GUARDED} OR EXISTS (
               SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                  AND a.attname ~ '(citizen|patient)'))""")
    assert len(guarded) >= 19
    unguarded = [name for name, on, forced, policies in guarded if (on, forced) != ("t", "t") or policies == "0"]
    assert unguarded == []


def test_t2_no_policy_is_for_everybody(catalogue: Catalogue) -> None:
    assert catalogue.rows("SELECT polrelid::regclass, polname FROM pg_policy WHERE 0 = ANY (polroles)") == []


def test_t2_the_owners_have_no_policy_that_shows_them_health_data(catalogue: Catalogue) -> None:
    owners = catalogue.column("""
        SELECT r.rolname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
          JOIN pg_roles r ON r.oid = ANY (p.polroles) WHERE c.relnamespace = 'book'::regnamespace""")
    assert owners == {"book_reader", "book_writer", "worker", "demo"}


def test_t2_no_login_owns_anything_but_the_migrators_own_notes(catalogue: Catalogue) -> None:
    owned = catalogue.column("""
        SELECT DISTINCT r.rolname || ':' || (pg_identify_object(d.classid, d.objid, d.objsubid)).identity
          FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid AND d.refclassid = 'pg_authid'::regclass
         WHERE d.deptype = 'o' AND r.rolcanlogin AND NOT r.rolsuper
           AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)""")
    notes = {"deploy", "deploy.installed_file", "deploy.installed_operation", "deploy.migration"}
    assert owned == {f"migrator:{name}" for name in notes}


def test_t2_no_login_has_an_attribute_that_goes_round_the_policies(catalogue: Catalogue) -> None:
    powerful = catalogue.column("""
        SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'
           AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)""")
    assert powerful == {"postgres", "backup"}
    assert catalogue.column("SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper") == set(LOGINS)


def test_t2_only_the_migrator_may_become_an_owner_and_inherits_nothing(catalogue: Catalogue) -> None:
    members = catalogue.rows("""
        SELECT m.member::regrole, m.roleid::regrole, m.inherit_option, m.admin_option
          FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname !~ '^pg_'""")
    owners = ("auth_owner", "book_owner", "book_reader", "book_writer")
    assert sorted(members) == [["migrator", owner, "f", "f"] for owner in owners]


def test_t2_nothing_stands_between_a_reader_and_the_policies(catalogue: Catalogue) -> None:
    kinds = catalogue.rows(f"""
        SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {OURS} AND c.relkind IN ('v', 'm', 'f')""")
    assert kinds == []
    assert catalogue.rows("SELECT evtname FROM pg_event_trigger") == []
    rules = f"""SELECT c.relname FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class
                  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS}"""
    assert catalogue.rows(rules) == []
    assert catalogue.column("SELECT extname FROM pg_extension") == {"plpgsql"}
    assert catalogue.rows("SELECT pubname FROM pg_publication") == []
    assert catalogue.rows("SELECT srvname FROM pg_foreign_server") == []


def test_t2_every_definer_function_is_listed_with_its_owner(catalogue: Catalogue) -> None:
    definers = catalogue.pairs(f"""
        SELECT n.nspname || '.' || p.proname, p.proowner::regrole FROM pg_proc p
          JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS} AND p.prosecdef""")
    operations = {name: owner for name, owner in definers.items() if name.startswith("op.") and name not in OPEN_NONE}
    assert {name: owner for name, owner in definers.items() if name not in operations} == DEFINERS
    assert set(operations.values()) == {"book_reader"}
    deployed = catalogue.column("SELECT function FROM deploy.installed_operation WHERE function LIKE 'op.%'")
    assert set(operations) == deployed


def test_t2_every_function_of_ours_pins_its_search_path(catalogue: Catalogue) -> None:
    free = catalogue.column(f"""
        SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE {OURS} AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)""")
    assert free == {"jobs.fn_pgqueuer_changed"} | BOUND  # the queue library's trigger, with the rights of its caller


def test_t2_what_pins_no_search_path_was_bound_when_it_was_made_and_is_its_owners(catalogue: Catalogue) -> None:
    """Its names are looked up once, as in a view: no path that a caller sets can change what it asks."""
    bound = catalogue.column(f"""
        SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE {OURS} AND p.prosqlbody IS NOT NULL AND NOT p.prosecdef AND p.provolatile <> 'v' AND p.proconfig IS NULL
           AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                            WHERE a.grantee <> p.proowner)""")
    assert bound == BOUND


def test_t2_an_operation_opens_the_book_before_anything_else(catalogue: Catalogue) -> None:
    head = r"^\s*#variable_conflict use_variable\s+DECLARE"
    opens = (
        head + r" opened record; in_citizen uuid; in_sections int;\s*BEGIN\s*"
        r"opened := auth\.open_(book|granted_book|preview)\("
    )
    signs_in = (
        head + r" in_viewer uuid; in_practitioner uuid;\s*BEGIN\s*SELECT s\.citizen_id, s\.practitioner_id "
        r"INTO in_viewer, in_practitioner FROM auth\.sign_in\("
    )
    late = catalogue.column(f"""
        SELECT proname FROM pg_proc WHERE pronamespace = 'op'::regnamespace AND prosrc !~ '{opens}'""")
    assert late == {name.partition(".")[2] for name in OPEN_NONE}
    late = catalogue.column(f"""
        SELECT proname FROM pg_proc WHERE pronamespace = 'desk_op'::regnamespace
           AND (prosecdef OR prosrc !~ '{signs_in}')""")
    assert late == set()


def test_t2_what_makes_a_session_alive_is_one_rule(catalogue: Catalogue) -> None:
    """It stands in three functions, for the sake of one statement; a word more in one of them would be a hole."""
    assert "s.expires_at > clock_timestamp()" in one_rule(
        catalogue, r"\ms\.token_hash = [^;]+;", "live_session", "open_book", "live_grant"
    )


def test_t2_what_a_grant_opens_and_who_practises_is_one_rule(catalogue: Catalogue) -> None:
    """A reading by a grant is judged in one statement, by the words of the functions that judge alone."""
    judged = r"g\.revoked_at IS NULL AND \(SELECT c\.closed_at IS NULL .*clock_timestamp\(\) < g\.ends_at"
    assert "clock_timestamp() >= g.starts_at" in one_rule(catalogue, judged, "judge_grant", "live_grant")
    practises = r"today BETWEEN p\.valid_from.*f\.code = w\.facility_code\)"
    assert "p.suspended_at > clock_timestamp()" in one_rule(catalogue, practises, "practises", "live_grant")


def one_rule(catalogue: Catalogue, pattern: str, *functions: str) -> str:
    """Return the words that a pattern finds in each of some functions of `auth`, which must be the same."""
    names = ", ".join(f"'{name}'" for name in functions)
    rows = catalogue.rows(f"""
        SELECT proname, regexp_replace(substring(prosrc FROM '{pattern}'), '\\s+', ' ', 'g')
          FROM pg_proc WHERE pronamespace = 'auth'::regnamespace AND proname IN ({names})""")
    assert {name for name, _ in rows} == set(functions)
    (rule,) = {words for _, words in rows}
    return rule


def test_t2_the_public_may_do_nothing(catalogue: Catalogue) -> None:
    functions = catalogue.column(f"""
        SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
               aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE {OURS} AND a.grantee = 0""")
    assert functions == set()
    tables = catalogue.column(f"""
        SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
               aclexplode(c.relacl) a WHERE {OURS} AND a.grantee = 0""")
    assert tables == set()
    schemas = catalogue.column(f"""
        SELECT n.nspname FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
         WHERE {OURS} AND a.grantee = 0""")
    assert schemas == set()
    database = catalogue.rows("""
        SELECT a.privilege_type FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
         WHERE d.datname = current_database() AND a.grantee = 0""")
    assert database == []


def test_t2_a_new_function_is_not_the_publics_either(catalogue: Catalogue) -> None:
    closed = catalogue.column("""
        SELECT defaclrole::regrole FROM pg_default_acl d WHERE defaclobjtype = 'f' AND defaclnamespace = 0
           AND NOT EXISTS (SELECT FROM aclexplode(defaclacl) a WHERE a.grantee = 0)""")
    assert closed == {"auth_owner", "book_owner", "book_reader", "book_writer", "migrator"}


def test_t2_the_api_prepares_with_generic_plans_and_in_utc(catalogue: Catalogue) -> None:
    roles = catalogue.pairs("SELECT rolname, array_to_string(rolconfig, ',') FROM pg_roles WHERE rolcanlogin")
    assert "plan_cache_mode=force_generic_plan" in roles["api"]
    assert "enable_bitmapscan=off" in roles["api"]
    assert all("TimeZone=UTC" in roles[login] for login in ("api", "desk", "ingest", "worker", "demo", "migrator"))


def test_t2_only_one_cast_is_ours_and_it_changes_no_byte(catalogue: Catalogue) -> None:
    ours = catalogue.rows("""
        SELECT castsource::regtype::text, casttarget::regtype::text, castmethod, castcontext FROM pg_cast
         WHERE oid >= 16384""")
    assert ours == [["json", "text", "b", "a"]]  # binary, in assignments
    said = """{"a" : "\\u1ee7 \\" \\\\", "ủ":1.0,  "a":null}"""
    assert catalogue.rows(f"SELECT '{said}'::json::text") == [[said]]
