-- Lists the warehouse's tables.
-- Grain: one row per table. Reads: pg_tables. Writes: -. Binds: -. Money: -. Rerun: reads only.
select tables.tablename as table_name
from pg_tables as tables
where tables.schemaname = 'public'
order by tables.tablename;
