-- Stores the facts of a run's report the first time; returns the stored ones, and whether a later revision of the
-- session has a report.
-- Grain: one row per run. Reads: reports, runs. Writes: reports. Money: exact decimal strings inside the facts.
-- A point-in-time run supersedes point-in-time runs only.
-- Rerun: changes nothing; the caller compares the hashes.
with inserted as (
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
    on conflict (run_id) do nothing
    returning
        reports.run_id,
        reports.facts,
        reports.facts_sha256
),

stored as (
    select
        inserted.run_id,
        inserted.facts,
        inserted.facts_sha256
    from inserted
    union all
    select
        reports.run_id,
        reports.facts,
        reports.facts_sha256
    from risk.reports
    where reports.run_id = %(run_id)s
)

select
    stored.facts,
    stored.facts_sha256,
    (
        select count(*) > 0
        from risk.runs as later
        inner join risk.reports as later_reports on later.run_id = later_reports.run_id
        where
            later.session_date = runs.session_date
            and later.revision > runs.revision
            and (runs.is_point_in_time or not later.is_point_in_time)
    ) as is_superseded
from stored
inner join risk.runs on stored.run_id = runs.run_id;
