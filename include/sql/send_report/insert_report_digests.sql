-- Stores the digest of a run's report the first time.
-- Grain: one row per run. Reads: -. Writes: report_digests. Money: -.
-- Rerun: changes nothing; the same facts and the stored salt give the same digest.
insert into risk.report_digests (
    run_id,
    format_number,
    report_sha256
)
values (
    %(run_id)s,
    %(format_number)s,
    %(report_sha256)s
)
on conflict (run_id) do nothing;
