-- Stores a run's check results: one row for a check that passed, one per finding of a check that failed.
-- Grain: one row per run, check and subject. Writes: quality_results.
-- Binds: run_id, shown_findings; names, severities, has_passeds, ok_messages (arrays, one entry a check);
-- check_names, subjects, observeds, findings (arrays, one entry a subject, as in create_session_findings).
-- Findings beyond shown_findings are counted in one row more.
-- Rerun: replaces the results of an earlier attempt of the same run, those of later tasks too: they run again after it.
-- What is deleted is never what is inserted.
with results as (
    select
        judged.check_name,
        judged.severity,
        judged.has_passed,
        judged.ok_message
    from unnest(
        %(names)s::text[],
        %(severities)s::text[],
        %(has_passeds)s::boolean[],
        %(ok_messages)s::text[]
    ) as judged (check_name, severity, has_passed, ok_message)
),

observations as (
    select
        checked.check_name,
        checked.subject,
        checked.observed,
        checked.finding,
        count(*) over (partition by checked.check_name) as subject_count,
        min(checked.observed) over (partition by checked.check_name) as first_observed,
        row_number() over (
            partition by checked.check_name, checked.finding is null
            order by checked.subject collate "C" -- noqa: RF03
        ) as place
    from unnest(
        %(check_names)s::text[],
        %(subjects)s::text[],
        %(observeds)s::text[],
        %(findings)s::text[]
    ) as checked (check_name, subject, observed, finding)
),

listed as (
    select
        results.check_name,
        '' as subject,
        results.severity,
        true as has_passed,
        case
            when observations.subject_count > 1 then concat(observations.subject_count, ' checked')
            else coalesce(observations.first_observed, 'none found')
        end as observed,
        results.ok_message as message
    from results
    left join observations
        on
            results.check_name = observations.check_name
            and observations.place = 1
    where results.has_passed
    union all
    select
        results.check_name,
        observations.subject,
        results.severity,
        false as has_passed,
        observations.observed,
        observations.finding as message
    from results
    inner join observations on results.check_name = observations.check_name
    where
        not results.has_passed
        and observations.finding is not null
        and observations.place <= %(shown_findings)s
    union all
    select
        results.check_name,
        '(others)' as subject,
        results.severity,
        false as has_passed,
        concat(count(*), ' more') as observed,
        concat(count(*), ' more findings of this check are not listed.') as message
    from results
    inner join observations on results.check_name = observations.check_name
    where
        not results.has_passed
        and observations.finding is not null
        and observations.place > %(shown_findings)s
    group by
        results.check_name,
        results.severity
),

deleted as (
    delete from results.quality_results
    where
        quality_results.run_id = %(run_id)s
        and not exists (
            select from listed
            where
                listed.check_name = quality_results.check_name
                and listed.subject = quality_results.subject
        )
)

insert into results.quality_results (
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
from listed
on conflict (run_id, check_name, subject) do update
    set
        severity = excluded.severity,
        has_passed = excluded.has_passed,
        observed = excluded.observed,
        message = excluded.message
returning
    check_name,
    severity,
    has_passed,
    message;
