-- Reads the newest recommendations for an account, with what was published: of each session its newest reported run.
-- Grain: one row per session, newest first. Reads: runs, reports, recommendations, publications, published_limits,
-- limit_decisions, cut_outcomes. Binds: account_id, row_count.
-- Money: US dollars; benefit_usd: benefit of the cut, gains positive, null = unknown (yet).
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
)

select
    reported.session_date,
    reported.effective_session,
    recommendations.level,
    recommendations.cut_ratio,
    recommendations.base_limit_usd,
    recommendations.new_limit_usd,
    recommendations.source,
    recommendations.reasons,
    published_limits.limit_usd as published_limit_usd,
    limit_decisions.action,
    limit_decisions.user_name,
    cut_outcomes.cut_outcome_usd - cut_outcomes.base_outcome_usd as benefit_usd
from reported
inner join results.recommendations on reported.run_id = recommendations.run_id
left join risk.publications on reported.run_id = publications.run_id
left join risk.published_limits
    on
        publications.publication_id = published_limits.publication_id
        and recommendations.account_id = published_limits.account_id
left join risk.limit_decisions on published_limits.decision_id = limit_decisions.decision_id
left join derived.cut_outcomes
    on
        recommendations.run_id = cut_outcomes.run_id
        and recommendations.account_id = cut_outcomes.account_id
where recommendations.account_id = %(account_id)s
order by reported.session_date desc
limit %(row_count)s;
