-- Lets the pipeline's role bring the summary of fills up to date, which Postgres allows to its owner only.
-- Grain: one row. Reads: fills. Writes: -. Binds: -. Money: -. Rerun: applied once.
create function summarize_fills()
returns integer
language sql
security definer
set search_path from current
return brin_summarize_new_values('public.fills_session');
