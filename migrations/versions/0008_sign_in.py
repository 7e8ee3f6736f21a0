"""Sign-in: accounts of the identity provider, logins under way, codes for apps, sessions that can be renewed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE auth_owner")
    # Of the person's account at the provider; a session without one opens no book.
    op.add_column("session", sa.Column("level", sa.SmallInteger(), nullable=True), schema="auth")
    op.create_table(
        "account",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("citizen_id", sa.UUID(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["citizen_id"], ["auth.citizen.id"], name="account_citizen_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="account_pkey"),
        sa.UniqueConstraint("issuer", "subject", name="account_issuer_subject_key"),
        schema="auth",
    )
    op.create_index(
        "account_citizen_key",
        "account",
        ["citizen_id", "issuer"],
        unique=True,
        schema="auth",
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "login",
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("app_state", sa.Text(), nullable=False),
        sa.Column("return_path", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("state_hash", name="login_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.create_index("login_expires_at_idx", "login", ["expires_at"], unique=False, schema="auth")
    op.create_table(
        "handoff",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("provider_session", sa.Text(), nullable=True),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("session_id", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name="handoff_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.create_index("handoff_expires_at_idx", "handoff", ["expires_at"], unique=False, schema="auth")
    op.create_table(
        "renewal",
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("provider_session", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("idle", sa.Interval(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["auth.account.id"], name="renewal_account_id_fkey"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["auth.session.id"], name="renewal_session_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name="renewal_pkey"),
        schema="auth",
    )
    op.create_index("renewal_account_idx", "renewal", ["account_id"], unique=False, schema="auth")
    op.create_index(
        "renewal_provider_session_idx",
        "renewal",
        ["provider_session"],
        unique=False,
        schema="auth",
        postgresql_where=sa.text("provider_session IS NOT NULL"),
    )
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("successor_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["auth.renewal.session_id"], name="refresh_token_session_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="refresh_token_pkey"),
        schema="auth",
    )
    op.create_index("refresh_token_session_idx", "refresh_token", ["session_id"], unique=False, schema="auth")
    op.create_table(
        "used_token",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "token_id", name="used_token_pkey"),
        schema="auth",
        prefixes=["UNLOGGED"],
    )
    op.create_index("used_token_expires_at_idx", "used_token", ["expires_at"], unique=False, schema="auth")
    op.execute("RESET ROLE")
