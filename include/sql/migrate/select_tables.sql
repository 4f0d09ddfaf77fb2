-- Lists the warehouse's tables.
select
    tables.schemaname as schema_name,
    tables.tablename as table_name
from pg_tables as tables
where tables.schemaname = any(%(schemas)s)
order by
    tables.schemaname,
    tables.tablename;
