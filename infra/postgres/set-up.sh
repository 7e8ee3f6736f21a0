#!/bin/bash
# Roles, schemas and passwords of a new database. The image of PostgreSQL runs this once, before it listens;
# for any other server, a superuser runs it with PGHOST … set:
#   POSTGRES_DB=sokhoe SOKHOE_SECRETS_DIR=… infra/postgres/set-up.sh
# Each password is read from its own file; psql quotes it, and no process list shows it.
set -euo pipefail

secrets=${SOKHOE_SECRETS_DIR:-/run/secrets}
roles=${SOKHOE_ROLES_FILE:-$(dirname "${BASH_SOURCE[0]}")/roles.sql}
as_superuser=(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:?}")

"${as_superuser[@]}" --set demo=off --file "$roles"
for login in api desk porter ingest worker sealer auditor migrator backup; do
  file=$secrets/$login.password
  if [[ ! -r $file ]]; then
    echo "set-up.sh: $file cannot be read" >&2
    exit 1
  fi
  SOKHOE_PASSWORD_FILE=$file "${as_superuser[@]}" --set login="$login" <<'SQL'
\set password `cat "$SOKHOE_PASSWORD_FILE"`
ALTER ROLE :"login" PASSWORD :'password';
SQL
done
