-- Connections to databases that a restore is about to replace.
-- Grain: one row a database that is in use.
-- Binds: databases
select
    activity.datname::text as database_name,
    count(*) as connection_count
from pg_stat_activity as activity
where
    activity.datname::text = any(%(databases)s)
    and activity.backend_type = 'client backend'
    and activity.pid <> pg_backend_pid()
group by database_name
order by database_name;
