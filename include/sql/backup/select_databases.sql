-- Databases of an installation, with their owners.
-- Grain: one row a database.
-- Binds: owners
select
    databases.datname::text as database_name,
    pg_get_userbyid(databases.datdba)::text as owner_name
from pg_database as databases
where
    not databases.datistemplate
    and pg_get_userbyid(databases.datdba)::text = any(%(owners)s)
order by database_name;
