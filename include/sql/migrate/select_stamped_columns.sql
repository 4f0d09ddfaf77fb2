-- Lists the columns of the tables whose rows are stamped with the clock, without the stamp itself.
-- Grain: one row per table with a column recorded_at. Reads: pg_attribute. Binds: schemas.
select
    namespaces.nspname as schema_name,
    classes.relname as table_name,
    array_agg(attributes.attname::text order by attributes.attnum) as column_names
from pg_class as classes
inner join pg_namespace as namespaces on classes.relnamespace = namespaces.oid
inner join pg_attribute as attributes on classes.oid = attributes.attrelid
where
    namespaces.nspname = any(%(schemas)s)
    and classes.relkind = 'r'
    and attributes.attnum > 0
    and not attributes.attisdropped
    and attributes.attname <> 'recorded_at'
    and exists (
        select 1
        from pg_attribute as stamps
        where
            stamps.attrelid = classes.oid
            and stamps.attname = 'recorded_at'
            and not stamps.attisdropped
    )
group by
    namespaces.nspname,
    classes.relname
order by
    namespaces.nspname,
    classes.relname;
