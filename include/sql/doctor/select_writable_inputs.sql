-- Lists the append-only tables this role could change or empty; none, where the pipeline has a role of its own.
-- Grain: one row per table. Reads: pg_tables. Writes: -. Binds: replaced_tables. Money: -. Rerun: reads only.
select tables.tablename as table_name
from pg_tables as tables
where
    tables.schemaname in ('risk', 'derived', 'results')
    and not (tables.tablename = any(%(replaced_tables)s))
    and has_table_privilege(format('%%I.%%I', tables.schemaname, tables.tablename), 'update, delete, truncate')
order by tables.tablename;
