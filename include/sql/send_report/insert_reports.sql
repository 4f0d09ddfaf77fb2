-- Stores the facts a run reports.
-- Grain: one row per run. Reads: -. Writes: reports. Binds: run_id, facts, facts_sha256.
-- Money: inside the facts, exact decimal strings. Rerun: changes nothing; the caller has compared the bytes.
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
