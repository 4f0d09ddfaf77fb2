-- Lists the databases of the server that belong to somebody else than this one.
-- Grain: one row per database. Reads: pg_database. Writes: -. Binds: -. Money: -. Rerun: reads only.
select others.datname::text as database_name
from pg_database as others
inner join pg_database as own on own.datname = current_database()
where
    others.datallowconn
    and others.datdba <> own.datdba
order by database_name;
