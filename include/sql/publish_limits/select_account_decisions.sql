-- Reads what was decided about each account of a publication, and what persons had decided about earlier reports of the
-- session.
-- Grain: one row per account with any, by name. Reads: publications, runs, limit_decisions. Binds: publication_id.
-- Money: US dollars. edit_*: newest edit; outcome_*: the decision; earlier_*: newest outcome of a person in an earlier
-- publication, of dry runs for dry runs only and of point-in-time runs for their like only. Null = none.
with publication as (
    select
        publications.publication_id,
        publications.effective_session,
        publications.is_live,
        runs.revision,
        runs.is_point_in_time
    from risk.publications
    inner join risk.runs on publications.run_id = runs.run_id
    where publications.publication_id = %(publication_id)s
),

edits as (
    select distinct on (limit_decisions.account_id) limit_decisions.*
    from risk.limit_decisions
    inner join publication on limit_decisions.publication_id = publication.publication_id
    where limit_decisions.action = 'edited'
    order by
        limit_decisions.account_id asc,
        limit_decisions.decision_id desc
),

outcomes as (
    select limit_decisions.*
    from risk.limit_decisions
    inner join publication on limit_decisions.publication_id = publication.publication_id
    where limit_decisions.action <> 'edited'
),

earlier as (
    select distinct on (limit_decisions.account_id) limit_decisions.*
    from risk.limit_decisions
    inner join risk.publications on limit_decisions.publication_id = publications.publication_id
    inner join risk.runs on publications.run_id = runs.run_id
    inner join publication
        on
            publications.effective_session = publication.effective_session
            and runs.revision < publication.revision
            and publications.is_live = publication.is_live
            and runs.is_point_in_time = publication.is_point_in_time
    where limit_decisions.action in ('approved', 'rejected')
    order by
        limit_decisions.account_id asc,
        limit_decisions.decision_id desc
),

accounts as (
    select edits.account_id
    from edits
    union
    select outcomes.account_id
    from outcomes
    union
    select earlier.account_id
    from earlier
)

select
    accounts.account_id,
    edits.decision_id as edit_id,
    edits.limit_usd as edited_limit_usd,
    edits.user_id as editor_id,
    edits.user_name as editor_name,
    edits.reason as edit_reason,
    outcomes.decision_id as outcome_id,
    outcomes.action as outcome,
    outcomes.limit_usd as decided_limit_usd,
    outcomes.user_id as decider_id,
    outcomes.user_name as decider_name,
    outcomes.reason as decision_reason,
    outcomes.seen_sha256,
    earlier.publication_id as earlier_publication_id,
    earlier.limit_usd as earlier_limit_usd,
    earlier.user_name as earlier_decider_name
from accounts
left join edits on accounts.account_id = edits.account_id
left join outcomes on accounts.account_id = outcomes.account_id
left join earlier on accounts.account_id = earlier.account_id
order by accounts.account_id asc;
