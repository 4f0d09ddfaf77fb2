-- Lists the accounts of a reported run whose stored recommendation is not what the report says.
-- Grain: one row per such account, by name. Reads: reports, recommendations. Binds: run_id. Money: US dollars.
with reported as (
    select
        listed.account ->> 'account_id' as account_id,
        listed.account ->> 'level' as level,
        (listed.account ->> 'cut_ratio')::numeric as cut_ratio,
        (listed.account ->> 'base_limit_usd')::numeric as base_limit_usd,
        (listed.account ->> 'new_limit_usd')::numeric as new_limit_usd
    from risk.reports
    cross join lateral jsonb_array_elements(reports.facts::jsonb -> 'accounts') as listed (account)
    where reports.run_id = %(run_id)s
),

stored as (
    select
        recommendations.account_id,
        recommendations.level,
        recommendations.cut_ratio,
        recommendations.base_limit_usd,
        recommendations.new_limit_usd
    from results.recommendations
    where recommendations.run_id = %(run_id)s
)

select coalesce(reported.account_id, stored.account_id) as account_id
from reported
full outer join stored on reported.account_id = stored.account_id
where
    (reported.level, reported.cut_ratio, reported.base_limit_usd, reported.new_limit_usd)
    is distinct from (stored.level, stored.cut_ratio, stored.base_limit_usd, stored.new_limit_usd)
order by account_id asc;
