-- Lists the schemas of point-in-time runs that this role owns, with the time of the load before the run.
-- Grain: one row per schema. Reads: pg_namespace, runs, loads.
select
    schemas.nspname as schema_name,
    loads.recorded_at
from pg_namespace as schemas
left join risk.runs on runs.run_id = substring(schemas.nspname from '^run_([0-9]+)')::bigint
left join risk.loads on runs.load_id = loads.load_id
where
    schemas.nspname ~ '^run_[0-9]+'
    and pg_has_role(schemas.nspowner, 'usage')
order by schemas.nspname;
