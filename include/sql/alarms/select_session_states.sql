-- Reads what exists for an effective session: limits, report, mails, publication; and whose limits stand before it.
-- Grain: one row, even if nothing exists. Reads: runs, recommendations, reports, report_deliveries, publications,
-- published_limits, publication_deliveries. Point-in-time runs and dry runs of a publication do not count; of several
-- publications for the session the newest is reported. has_earlier_limits: only an earlier one has published.
-- unsent_count: recipients of the mail Limits in force who do not have it.
-- standing_session: newest earlier effective session with a mailed report or published limits; null = none.
with morning as (
    select runs.run_id
    from risk.runs
    where
        runs.effective_session = %(effective_session)s
        and not runs.is_point_in_time
),

limited as (
    select count(*) > 0 as has_limits
    from results.recommendations
    inner join morning on recommendations.run_id = morning.run_id
),

reported as (
    select count(*) > 0 as has_report
    from risk.reports
    inner join morning on reports.run_id = morning.run_id
),

mailed as (
    select
        min(report_deliveries.sent_at) as sent_at,
        count(report_deliveries.sent_at) as sent_count,
        count(*) filter (where report_deliveries.sent_at is null) as open_count
    from risk.report_deliveries
    inner join morning on report_deliveries.run_id = morning.run_id
),

asked as (
    select
        publications.publication_id,
        publications.decision_deadline,
        (
            select max(published_limits.recorded_at)
            from risk.published_limits
            where published_limits.publication_id = publications.publication_id
        ) as published_at,
        (
            select count(*)
            from risk.publication_deliveries
            where
                publication_deliveries.publication_id = publications.publication_id
                and publication_deliveries.kind = 'limits'
                and publication_deliveries.sent_at is null
        ) as unsent_count
    from risk.publications
    inner join morning on publications.run_id = morning.run_id
    where publications.is_live
),

published as (
    select
        (array_agg(asked.decision_deadline order by asked.publication_id desc))[1] as decision_deadline,
        (array_agg(asked.published_at order by asked.publication_id desc))[1] as published_at,
        coalesce((array_agg(asked.unsent_count order by asked.publication_id desc))[1], 0) as unsent_count,
        max(asked.published_at) as first_published_at
    from asked
),

standing as (
    select max(runs.effective_session) as standing_session
    from risk.runs
    where
        runs.effective_session < %(effective_session)s
        and not runs.is_point_in_time
        and (
            exists (
                select
                from risk.report_deliveries
                where
                    report_deliveries.run_id = runs.run_id
                    and report_deliveries.sent_at is not null
            )
            or exists (
                select
                from risk.publications
                inner join risk.published_limits on publications.publication_id = published_limits.publication_id
                where
                    publications.run_id = runs.run_id
                    and publications.is_live
            )
        )
)

select
    limited.has_limits,
    reported.has_report,
    mailed.sent_at,
    mailed.sent_count,
    mailed.open_count,
    published.decision_deadline,
    published.published_at,
    published.first_published_at is not null and published.published_at is null as has_earlier_limits,
    published.unsent_count,
    standing.standing_session
from limited
cross join reported
cross join mailed
cross join published
cross join standing
order by mailed.sent_at asc;
