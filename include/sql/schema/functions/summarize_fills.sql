-- Postgres lets only the owner of an index summarize it, and the pipeline's role is not the owner.
create function risk.summarize_fills()
returns integer
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select brin_summarize_new_values('risk.fills_session'::regclass)
$$;

comment on function risk.summarize_fills() is
'Summarizes the index fills_session after a load, on behalf of the pipeline''s role. Returns the number of page '
'ranges summarized.';
