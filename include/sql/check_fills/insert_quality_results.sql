-- Stores a run's check results: one row for a check that passed, one per finding of a check that failed.
-- Grain: one row per run, check and subject. Writes: quality_results.
-- Binds: run_id, shown_findings; names, severities, has_passeds, ok_messages (arrays, one entry a check);
-- check_names, subjects, observeds, findings (arrays, one entry a subject, as in create_session_findings).
-- Rerun: the run's earlier results are deleted first. Findings beyond shown_findings are counted in one row more.
with results as (
    select
        listed.check_name,
        listed.severity,
        listed.has_passed,
        listed.ok_message
    from unnest(
        %(names)s::text[],
        %(severities)s::text[],
        %(has_passeds)s::boolean[],
        %(ok_messages)s::text[]
    ) as listed (check_name, severity, has_passed, ok_message)
),

observed_rows as (
    select
        listed.check_name,
        listed.subject,
        listed.observed,
        listed.finding
    from unnest(
        %(check_names)s::text[],
        %(subjects)s::text[],
        %(observeds)s::text[],
        %(findings)s::text[]
    ) as listed (check_name, subject, observed, finding)
),

observations as (
    select
        observed_rows.check_name,
        count(*) as subject_count,
        min(observed_rows.observed) as observed
    from observed_rows
    group by observed_rows.check_name
),

findings as (
    select
        observed_rows.check_name,
        observed_rows.subject,
        observed_rows.observed,
        observed_rows.finding,
        row_number() over (
            partition by observed_rows.check_name
            order by observed_rows.subject collate "C" -- noqa: RF03
        ) as place
    from observed_rows
    where observed_rows.finding is not null
),

listed as (
    select
        results.check_name,
        '' as subject,
        results.severity,
        true as has_passed,
        case
            when observations.subject_count > 1 then concat(observations.subject_count, ' checked')
            else coalesce(observations.observed, 'none found')
        end as observed,
        results.ok_message as message
    from results
    left join observations on results.check_name = observations.check_name
    where results.has_passed
    union all
    select
        results.check_name,
        findings.subject,
        results.severity,
        false as has_passed,
        findings.observed,
        findings.finding as message
    from results
    inner join findings on results.check_name = findings.check_name
    where
        not results.has_passed
        and findings.place <= %(shown_findings)s
    union all
    select
        results.check_name,
        '(others)' as subject,
        results.severity,
        false as has_passed,
        concat(max(findings.place) - %(shown_findings)s, ' more') as observed,
        concat(max(findings.place) - %(shown_findings)s, ' more findings of this check are not listed.') as message
    from results
    inner join findings on results.check_name = findings.check_name
    where not results.has_passed
    group by
        results.check_name,
        results.severity
    having max(findings.place) > %(shown_findings)s
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
returning
    check_name,
    severity,
    has_passed,
    message;
