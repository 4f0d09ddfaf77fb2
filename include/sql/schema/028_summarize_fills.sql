-- Lets the pipeline summarize the index of fills after a load: Postgres asks for the index's owner, and it is not.
-- Grain: -. Reads: fills. Writes: -. Binds: -. Money: -. Rerun: applied once.
create function summarize_fills()
returns integer
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select brin_summarize_new_values('public.fills_session'::regclass)
$$;
