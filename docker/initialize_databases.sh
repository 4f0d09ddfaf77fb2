#!/usr/bin/env bash
# Run by the Postgres image on an empty volume, and by hand after an upgrade that brings a role: five roles, two databases.
# What exists stays, with its password. Passwords come from .env.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set owner="$RISK_OWNER_PASSWORD" --set pipeline="$RISK_PIPELINE_PASSWORD" --set page="$RISK_PAGE_PASSWORD" \
    --set reader="$RISK_READER_PASSWORD" --set airflow="$AIRFLOW_DATABASE_PASSWORD" <<'SQL'
select format('create role %I login password %L', wanted.name, wanted.password)
from (
    values
    ('risk_owner', :'owner'),
    ('risk', :'pipeline'),
    ('risk_page', :'page'),
    ('risk_reader', :'reader'),
    ('airflow', :'airflow')
) as wanted (name, password)
where not exists (select from pg_roles where rolname = wanted.name)
\gexec
select format('create database %I owner %I', wanted.name, wanted.owner)
from (values ('warehouse', 'risk_owner'), ('airflow', 'airflow')) as wanted (name, owner)
where not exists (select from pg_database where datname = wanted.name)
\gexec
revoke connect, temporary on database warehouse, airflow, postgres, template1 from public;
grant connect on database warehouse to risk, risk_page, risk_reader;
SQL
