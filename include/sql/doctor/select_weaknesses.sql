-- Lists what could let a role change what it may not, or what statements mean.
-- Grain: one row per finding, as part of a sentence. Reads: pg_db_role_setting, pg_class, pg_proc, pg_roles.
-- Binds: schemas, pipeline, page, reader (names of roles; empty = none). Rerun: reads only.
-- Schemas run_<number> belong to point-in-time runs.
with places as (
    select
        namespaces.oid,
        namespaces.nspname as schema_name,
        namespaces.nspacl as grants,
        namespaces.nspowner as owner_oid,
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
        classes.relacl as grants,
        classes.relowner as owner_oid,
        places.schema_name,
        places.is_ours
    from pg_class as classes
    inner join places on classes.relnamespace = places.oid
    where classes.relkind in ('r', 'p', 'v', 'm', 'f')
),

granted as (
    select
        relations.table_name,
        relations.owner_oid,
        given.grantee,
        given.privilege_type
    from relations
    cross join lateral aclexplode(relations.grants) as given
    where relations.is_ours
    union
    select
        relations.table_name,
        relations.owner_oid,
        given.grantee,
        given.privilege_type
    from relations
    inner join pg_attribute as attributes on relations.oid = attributes.attrelid
    cross join lateral aclexplode(attributes.attacl) as given
    where relations.is_ours
)

select 'the role or database has settings of its own (' || array_to_string(settings.setconfig, ', ') || ')' as finding
from pg_db_role_setting as settings
left join pg_roles as roles on settings.setrole = roles.oid
where
    (settings.setrole = 0 or roles.rolname in (%(pipeline)s, %(page)s, %(reader)s))
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
select
    format(
        '%%s may %%s %%I', coalesce(roles.rolname, 'everybody'), lower(granted.privilege_type), granted.table_name
    )
from granted
left join pg_roles as roles on granted.grantee = roles.oid
where
    granted.grantee <> granted.owner_oid
    and (
        granted.privilege_type in ('TRIGGER', 'REFERENCES', 'TRUNCATE')
        or (
            granted.privilege_type in ('INSERT', 'UPDATE', 'DELETE')
            and coalesce(roles.rolname not in (%(pipeline)s, %(page)s), true)
        )
    )
union all
select format('%%s may create in the schema %%I', coalesce(roles.rolname, 'everybody'), places.schema_name)
from places
cross join lateral aclexplode(places.grants) as given
left join pg_roles as roles on given.grantee = roles.oid
where
    places.is_ours
    and given.privilege_type = 'CREATE'
    and given.grantee <> places.owner_oid
union all
select format('the trigger %%I of %%I is off', triggers.tgname, relations.table_name)
from pg_trigger as triggers
inner join relations on triggers.tgrelid = relations.oid
where
    relations.is_ours
    and triggers.tgenabled <> 'O'
union all
select format('%%I is a superuser, may create roles, or is a member of another role', roles.rolname)
from pg_roles as roles
where
    roles.rolname in (%(pipeline)s, %(page)s, %(reader)s)
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
