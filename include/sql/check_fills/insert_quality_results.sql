-- Stores verdicts.
-- Grain: one row per run, check and subject. Reads: -. Writes: quality_results. Money: -.
-- Binds: run_id; check_names, subjects, severities, has_passeds, observeds, messages (arrays of equal length).
-- Rerun: the run's earlier verdicts are deleted first.
insert into quality_results (
    run_id,
    check_name,
    subject,
    severity,
    has_passed,
    observed,
    message
)
select
    %(run_id)s,
    listed.check_name,
    listed.subject,
    listed.severity,
    listed.has_passed,
    listed.observed,
    listed.message
from unnest(
    %(check_names)s::text[],
    %(subjects)s::text[],
    %(severities)s::text[],
    %(has_passeds)s::boolean[],
    %(observeds)s::text[],
    %(messages)s::text[]
) as listed (check_name, subject, severity, has_passed, observed, message);
