-- Stores the facts of a run's report.
-- Grain: one row per run. Writes: reports. Money: exact decimal strings inside the facts.
-- Rerun: changes nothing; the caller has compared the bytes.
insert into risk.reports (
    run_id,
    facts,
    facts_sha256
)
values (
    %(run_id)s,
    %(facts)s,
    %(facts_sha256)s
)
on conflict (run_id) do nothing;
