-- Reads the limits that were published, and the recommendations that some recipient's server accepted by email, which a
-- limit in force between two instants may follow from: what took effect between them, and the newest before.
-- Grain: one row per publication or mailed run, and account. Reads: published_limits, publications, runs,
-- recommendations, report_deliveries, renamed_accounts.
-- Binds: as_of, first_at and last_at (instants), through_session (limits of later ones do not count), emailed_counts,
-- account_ids (array; null = all).
-- Money: US dollars.
-- An email counts only where no approval was asked for: there the publication does.
-- Point-in-time runs never count; a dry run's publications only before the first live one. Limits under a
-- former name are the present one's; those of accounts merged since are added up, as in scored_recommendations.
with asked as (
    select listed.account_id
    from unnest(%(account_ids)s::text[]) as listed (account_id)
    union
    select renamed.former_account_id as account_id
    from risk.renamed_accounts(%(as_of)s) as renamed
    where renamed.account_id = any(%(account_ids)s::text[])
),

-- Each midnight is computed once, not for every row of its run.
chosen_runs as materialized (
    select
        runs.run_id,
        runs.session_date,
        runs.effective_session,
        runs.effective_session::timestamp at time zone %(exchange_zone)s as begins_at
    from risk.runs
    where
        not runs.is_point_in_time
        and runs.effective_session <= %(through_session)s
),

first_live as (
    select min(published_limits.recorded_at) as recorded_at
    from risk.published_limits
    inner join risk.publications on published_limits.publication_id = publications.publication_id
    where publications.is_live
),

mailed as (
    select
        report_deliveries.run_id,
        min(report_deliveries.sent_at) as reported_at
    from risk.report_deliveries
    where
        %(emailed_counts)s
        and report_deliveries.sent_at <= least(%(as_of)s, %(last_at)s)
        and not exists (
            select 1
            from risk.publications
            where
                publications.run_id = report_deliveries.run_id
                and publications.recorded_at <= %(as_of)s
        )
    group by report_deliveries.run_id
),

reported as (
    select
        'published' as source,
        published_limits.publication_id as source_id,
        publications.run_id,
        published_limits.account_id,
        published_limits.recorded_at as reported_at,
        published_limits.limit_usd
    from risk.published_limits
    inner join risk.publications on published_limits.publication_id = publications.publication_id
    cross join first_live
    where
        published_limits.recorded_at <= least(%(as_of)s, %(last_at)s)
        and (
            %(account_ids)s::text[] is null
            or published_limits.account_id = any(array(select asked.account_id from asked))
        )
        and (
            publications.is_live
            or first_live.recorded_at is null
            or published_limits.recorded_at < first_live.recorded_at
        )
    union all
    select
        'emailed' as source,
        mailed.run_id as source_id,
        mailed.run_id,
        recommendations.account_id,
        mailed.reported_at,
        recommendations.new_limit_usd as limit_usd
    from mailed
    inner join results.recommendations on mailed.run_id = recommendations.run_id
    where
        %(account_ids)s::text[] is null
        or recommendations.account_id = any(array(select asked.account_id from asked))
),

-- By present names, not yet added up: of what had taken effect by first_at only the newest session is worth sorting.
named as (
    select
        reported.source,
        reported.source_id,
        coalesce(renamed.account_id, reported.account_id) as account_id,
        chosen_runs.effective_session,
        reported.reported_at,
        reported.limit_usd,
        greatest(reported.reported_at, chosen_runs.begins_at) as starts_at
    from reported
    inner join chosen_runs on reported.run_id = chosen_runs.run_id
    left join risk.renamed_accounts(%(as_of)s) as renamed
        on
            reported.account_id = renamed.former_account_id
            and chosen_runs.session_date >= renamed.starts_at
            and chosen_runs.session_date < renamed.ends_before
),

newest as (
    select
        named.account_id,
        max(named.effective_session) as effective_session
    from named
    where named.starts_at <= %(first_at)s
    group by named.account_id
),

dated as (
    select
        named.source,
        named.source_id,
        named.account_id,
        named.effective_session,
        min(named.reported_at) as reported_at,
        sum(named.limit_usd) as limit_usd,
        min(named.starts_at) as starts_at
    from named
    left join newest on named.account_id = newest.account_id
    where
        named.starts_at > %(first_at)s
        or named.effective_session >= newest.effective_session
    group by
        named.source,
        named.source_id,
        named.account_id,
        named.effective_session
),

ranked as (
    select
        dated.*,
        row_number() over (
            partition by dated.account_id, dated.starts_at <= %(first_at)s
            order by dated.effective_session desc, dated.reported_at desc, dated.source_id desc
        ) as place
    from dated
    where dated.starts_at <= %(last_at)s
)

select
    ranked.account_id,
    ranked.source,
    ranked.source_id,
    ranked.effective_session,
    ranked.reported_at,
    ranked.limit_usd
from ranked
where
    ranked.starts_at > %(first_at)s
    or ranked.place = 1
order by
    ranked.account_id asc,
    ranked.starts_at asc,
    ranked.source_id asc;
