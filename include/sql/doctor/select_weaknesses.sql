-- Lists what could let the pipeline's role change what it may not, or what statements mean.
-- Grain: one row per finding, as part of a sentence. Reads: pg_db_role_setting, pg_class, pg_proc, pg_roles.
-- Binds: schemas, stamped_by_loads, read_tables. Rerun: reads only.
-- Schemas run_<number> belong to point-in-time runs.
with places as (
    select
        namespaces.oid,
        namespaces.nspname as schema_name,
        namespaces.nspname = any(%(schemas)s) as is_ours
    from pg_namespace as namespaces
    where
        namespaces.nspname !~ '^pg_'
        and namespaces.nspname <> 'information_schema'
        and namespaces.nspname !~ '^run_[0-9]+(_unfinished)?$'
),

relations as (
    select
        classes.oid,
        classes.relname as table_name,
        places.schema_name,
        places.is_ours
    from pg_class as classes
    inner join places on classes.relnamespace = places.oid
    where classes.relkind in ('r', 'p', 'v', 'm', 'f')
)

select 'the role or database has settings of its own (' || array_to_string(settings.setconfig, ', ') || ')' as finding
from pg_db_role_setting as settings
where
    settings.setrole in (0, (select roles.oid from pg_roles as roles where roles.rolname = current_user))
    and settings.setdatabase in (
        0, (select databases.oid from pg_database as databases where databases.datname = current_database())
    )
union all
select format('%%I.%%I has the name of a table of the warehouse', foreigners.schema_name, foreigners.table_name)
from relations as foreigners
where
    not foreigners.is_ours
    and exists (
        select 1
        from relations as own
        where
            own.is_ours
            and own.table_name = foreigners.table_name
    )
union all
select format('%%I.%%I has the name of a function of the server', places.schema_name, functions.proname)
from pg_proc as functions
inner join places on functions.pronamespace = places.oid
where
    exists (
        select 1
        from pg_proc as built_in
        where
            built_in.pronamespace = 'pg_catalog'::regnamespace
            and built_in.proname = functions.proname
    )
union all
select format('the role may choose when a row of %%I was recorded', relations.table_name)
from relations
inner join pg_attribute as stamps on relations.oid = stamps.attrelid
where
    relations.is_ours
    and stamps.attname = 'recorded_at'
    and not (relations.table_name = any(%(replaced_tables)s) or relations.table_name = any(%(stamped_by_loads)s))
    and has_column_privilege(relations.oid, stamps.attnum, 'insert')
union all
select format('the role may write %%I', relations.table_name)
from relations
where
    relations.is_ours
    and relations.table_name = any(%(read_tables)s)
    and has_table_privilege(relations.oid, 'insert, update, delete, truncate')
union all
select 'the role is a superuser, may create roles, or is a member of another role'
from pg_roles as roles
where
    roles.rolname = current_user
    and (
        roles.rolsuper
        or roles.rolcreaterole
        or exists (
            select 1
            from pg_auth_members as members
            where members.member = roles.oid
        )
    )
order by finding;
