-- Names this connection's schema of temporary tables, which programs that look a table up do not know as pg_temp.
-- Grain: one row. Reads: -. Writes: -. Binds: -. Money: -. Rerun: reads only.
select pg_my_temp_schema()::regnamespace::text as schema_name;
