-- Reads what is recommended, in force and decided for each account of a publication.
-- Grain: one row per account of the run, by name. Reads: publications, runs, recommendations, limit_decisions,
-- published_limits. Binds: publication_id. Money: US dollars.
-- in_force_limit_usd: published for the newest earlier session, null = nothing was ever published for the account.
-- Limits of a dry run are in force for dry runs only, those of a point-in-time run for point-in-time runs only.
with publication as (
    select
        publications.publication_id,
        publications.run_id,
        publications.effective_session,
        publications.is_live,
        runs.is_point_in_time
    from risk.publications
    inner join risk.runs on publications.run_id = runs.run_id
    where publications.publication_id = %(publication_id)s
),

in_force as (
    select distinct on (published_limits.account_id)
        published_limits.account_id,
        published_limits.limit_usd
    from risk.published_limits
    inner join risk.publications on published_limits.publication_id = publications.publication_id
    inner join risk.runs on publications.run_id = runs.run_id
    inner join publication
        on
            published_limits.effective_session < publication.effective_session
            and (publications.is_live or not publication.is_live)
            and (publication.is_point_in_time or not runs.is_point_in_time)
    order by
        published_limits.account_id asc,
        published_limits.effective_session desc,
        published_limits.publication_id desc
),

edits as (
    select distinct on (limit_decisions.account_id)
        limit_decisions.account_id,
        limit_decisions.decision_id,
        limit_decisions.limit_usd,
        limit_decisions.user_id,
        limit_decisions.user_name,
        limit_decisions.reason
    from risk.limit_decisions
    inner join publication on limit_decisions.publication_id = publication.publication_id
    where limit_decisions.action = 'edited'
    order by
        limit_decisions.account_id asc,
        limit_decisions.decision_id desc
),

outcomes as (
    select
        limit_decisions.account_id,
        limit_decisions.decision_id,
        limit_decisions.action,
        limit_decisions.limit_usd,
        limit_decisions.user_name
    from risk.limit_decisions
    inner join publication on limit_decisions.publication_id = publication.publication_id
    where limit_decisions.action <> 'edited'
)

select
    recommendations.account_id,
    recommendations.level,
    recommendations.cut_ratio,
    recommendations.base_limit_usd,
    recommendations.new_limit_usd as recommended_limit_usd,
    recommendations.reasons,
    in_force.limit_usd as in_force_limit_usd,
    edits.decision_id as edit_id,
    edits.limit_usd as edited_limit_usd,
    edits.user_id as editor_id,
    edits.user_name as editor_name,
    edits.reason as edit_reason,
    outcomes.decision_id as outcome_id,
    outcomes.action as outcome,
    outcomes.limit_usd as decided_limit_usd,
    outcomes.user_name as decider_name
from results.recommendations
inner join publication on recommendations.run_id = publication.run_id
left join in_force on recommendations.account_id = in_force.account_id
left join edits on recommendations.account_id = edits.account_id
left join outcomes on recommendations.account_id = outcomes.account_id
order by recommendations.account_id asc;
