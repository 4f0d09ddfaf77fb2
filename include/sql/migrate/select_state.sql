-- Says whether this role owns the warehouse, whether its schema is created, and whether it is older than the baseline.
select
    pg_has_role(databases.datdba, 'usage') as is_owner,
    to_regclass('risk.schema_migrations') is not null as is_created,
    to_regclass('public.schema_migrations') is not null as is_outdated
from pg_database as databases
where databases.datname = current_database();
