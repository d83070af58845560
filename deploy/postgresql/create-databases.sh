#!/bin/sh
# A role and a database for every service whose password is given as <SERVICE>_DATABASE_PASSWORD.
#
# The PostgreSQL image runs this once, on an empty data directory. It may be run again at any
# time: what is missing is created, passwords are set to those given, nothing is dropped.
set -eu

services=$(env | sed -n 's/^\([A-Z][A-Z0-9_]*\)_DATABASE_PASSWORD=..*/\1/p' | sort)
if [ -z "$services" ]; then
  echo "create-databases: no <SERVICE>_DATABASE_PASSWORD is set" >&2
  exit 1
fi

for variable in $services; do
  SERVICE_ROLE=$(echo "$variable" | tr '[:upper:]' '[:lower:]')
  SERVICE_PASSWORD=$(printenv "${variable}_DATABASE_PASSWORD")
  export SERVICE_ROLE SERVICE_PASSWORD
  # Through the environment, because arguments can be read by everybody on the machine.
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv role SERVICE_ROLE
\getenv password SERVICE_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'role', :'role')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'role') \gexec
-- A service reads its own database and no other.
REVOKE CONNECT ON DATABASE :"role" FROM PUBLIC;
SQL
  echo "create-databases: $SERVICE_ROLE"
done
