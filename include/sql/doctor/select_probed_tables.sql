-- Lists the warehouse's tables with what an attempt to write needs to name: the column that is likeliest to
-- succeed.
-- Grain: one row per table. Reads: pg_class, pg_attribute. Writes: -. Binds: schemas. Money: -. Rerun: reads only.
select
    namespaces.nspname as schema_name,
    classes.relname as table_name,
    (
        array_agg(
            attributes.attname::text
            order by has_column_privilege(classes.oid, attributes.attnum, 'insert') desc, attributes.attnum asc
        ) filter (where attributes.attidentity = '' and attributes.attname <> 'recorded_at')
    )[1] as insert_column,
    (
        array_agg(
            attributes.attname::text
            order by has_column_privilege(classes.oid, attributes.attnum, 'update') desc, attributes.attnum asc
        ) filter (where attributes.attidentity = '' and attributes.attname <> 'recorded_at')
    )[1] as update_column,
    bool_or(attributes.attname = 'recorded_at') as has_stamp,
    has_table_privilege(classes.oid, 'truncate') as may_truncate
from pg_class as classes
inner join pg_namespace as namespaces on classes.relnamespace = namespaces.oid
inner join pg_attribute as attributes on classes.oid = attributes.attrelid
where
    namespaces.nspname = any(%(schemas)s)
    and classes.relkind = 'r'
    and attributes.attnum > 0
    and not attributes.attisdropped
group by
    namespaces.nspname,
    classes.relname,
    classes.oid
order by
    namespaces.nspname,
    classes.relname;
