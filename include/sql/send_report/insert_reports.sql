-- Stores the facts of a run's report the first time; returns the stored ones, and whether a later revision of the
-- session has a report.
-- Grain: one row per run. Reads: reports. Writes: reports. Money: exact decimal strings inside the facts.
-- Rerun: changes nothing; the salt that was drawn first stays, and the caller compares the hashes.
with inserted as (
    insert into risk.reports (
        run_id,
        facts,
        facts_sha256,
        salt
    )
    values (
        %(run_id)s,
        %(facts)s,
        %(facts_sha256)s,
        %(salt)s
    )
    on conflict (run_id) do nothing
    returning
        reports.run_id,
        reports.facts,
        reports.facts_sha256,
        reports.salt
),

stored as (
    select
        inserted.run_id,
        inserted.facts,
        inserted.facts_sha256,
        inserted.salt
    from inserted
    union all
    select
        reports.run_id,
        reports.facts,
        reports.facts_sha256,
        reports.salt
    from risk.reports
    where reports.run_id = %(run_id)s
)

select
    stored.facts,
    stored.facts_sha256,
    stored.salt,
    risk.has_later_report(stored.run_id) as is_superseded
from stored;
