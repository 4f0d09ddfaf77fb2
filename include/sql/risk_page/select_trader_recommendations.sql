-- Reads the newest recommendations for an account, with what was published: of each session its newest reported run.
-- Grain: one row per session, of merged accounts one for each of them, newest first.
-- Reads: runs, reports, renamed_accounts, recommendations, publications, published_limits, limit_decisions,
-- cut_outcomes. Binds: account_id, row_count.
-- Money: US dollars; benefit_usd: benefit of the cut, gains positive, null = unknown (yet); of merged accounts the sum
-- stands in the first row. former_account_id: the name in the report where it was another one, else null.
-- A recommendation belongs to whoever held the account in the session after which it was made, as in the track record.
with reported as (
    select distinct on (runs.session_date)
        runs.session_date,
        runs.effective_session,
        runs.run_id
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    order by
        runs.session_date asc,
        runs.is_point_in_time asc,
        runs.revision desc
),

renamed as materialized (
    select
        renames.former_account_id,
        renames.starts_at,
        renames.ends_before,
        renames.account_id
    from risk.renamed_accounts('infinity') as renames
),

names as (
    select %(account_id)s::text as account_id
    union
    select renamed.former_account_id as account_id
    from renamed
    where renamed.account_id = %(account_id)s
),

recommended as (
    select
        reported.session_date,
        reported.effective_session,
        recommendations.run_id,
        recommendations.account_id,
        recommendations.level,
        recommendations.cut_ratio,
        recommendations.base_limit_usd,
        recommendations.new_limit_usd,
        recommendations.source,
        recommendations.reasons,
        nullif(recommendations.account_id, %(account_id)s) as former_account_id,
        row_number() over (
            partition by recommendations.run_id
            order by
                (recommendations.account_id = %(account_id)s) desc,
                recommendations.account_id asc
        ) as place
    from reported
    inner join results.recommendations on reported.run_id = recommendations.run_id
    inner join names on recommendations.account_id = names.account_id
    left join renamed
        on
            recommendations.account_id = renamed.former_account_id
            and reported.session_date >= renamed.starts_at
            and reported.session_date < renamed.ends_before
    where coalesce(renamed.account_id, recommendations.account_id) = %(account_id)s
)

select
    recommended.session_date,
    recommended.effective_session,
    recommended.former_account_id,
    recommended.level,
    recommended.cut_ratio,
    recommended.base_limit_usd,
    recommended.new_limit_usd,
    recommended.source,
    recommended.reasons,
    published_limits.limit_usd as published_limit_usd,
    limit_decisions.action,
    limit_decisions.user_name,
    cut_outcomes.cut_outcome_usd - cut_outcomes.base_outcome_usd as benefit_usd
from recommended
left join risk.publications on recommended.run_id = publications.run_id
left join risk.published_limits
    on
        publications.publication_id = published_limits.publication_id
        and recommended.account_id = published_limits.account_id
left join risk.limit_decisions on published_limits.decision_id = limit_decisions.decision_id
left join derived.cut_outcomes
    on
        recommended.run_id = cut_outcomes.run_id
        and recommended.place = 1
        and cut_outcomes.account_id = %(account_id)s
order by
    recommended.session_date desc,
    recommended.place asc
limit %(row_count)s;
