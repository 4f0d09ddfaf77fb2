#!/usr/bin/env bash
# Run once by the Postgres image on an empty volume: three roles, two databases. Passwords come from .env.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set owner="$RISK_OWNER_PASSWORD" --set pipeline="$RISK_PIPELINE_PASSWORD" --set airflow="$AIRFLOW_DATABASE_PASSWORD" <<'SQL'
create role risk_owner login password :'owner';
create role risk login password :'pipeline';
create role airflow login password :'airflow';
create database warehouse owner risk_owner;
create database airflow owner airflow;
revoke connect, temporary on database warehouse, airflow, postgres, template1 from public;
grant connect on database warehouse to risk;
SQL
