-- Reads every account that has traded, with what the newest report says about it.
-- Grain: one row per account. Reads: runs, reports. Binds: -. Money: US dollars.
-- level and what follows it: null = the report gives the account no limit (has_no_limit): it is closed or inactive.
-- use_ratio: null = n/a or unknown.
with newest as materialized (
    select reports.facts::jsonb as facts
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    where not runs.is_point_in_time
    order by
        runs.session_date desc,
        runs.revision desc
    limit 1
),

roster as (
    select
        entry.account_id,
        entry.trading_day_count,
        entry.latest_session_date,
        entry.status
    from newest
    cross join lateral jsonb_to_recordset(newest.facts -> 'roster') as entry (
        account_id text, trading_day_count integer, latest_session_date date, status text
    )
),

accounts as (
    select
        account.account_id,
        account.level,
        account.cut_ratio,
        account.base_limit_usd,
        account.limit_in_force_usd,
        account.limit_change_usd,
        account.forecast_quantile_05_usd,
        account.total_pnl_usd
    from newest
    cross join lateral jsonb_to_recordset(newest.facts -> 'accounts') as account (
        account_id text,
        level text,
        cut_ratio numeric,
        base_limit_usd numeric,
        limit_in_force_usd numeric,
        limit_change_usd numeric,
        forecast_quantile_05_usd numeric,
        total_pnl_usd numeric
    )
),

receipts as (
    select
        receipt.account_id,
        receipt.use_ratio
    from newest
    cross join lateral jsonb_to_recordset(newest.facts -> 'limit_use' -> 'receipts') as receipt (
        account_id text, use_ratio numeric
    )
)

select
    roster.account_id,
    roster.status,
    accounts.level,
    accounts.cut_ratio,
    accounts.base_limit_usd,
    accounts.limit_in_force_usd,
    accounts.limit_in_force_usd + accounts.limit_change_usd as next_limit_usd,
    -accounts.forecast_quantile_05_usd as value_at_risk_usd,
    accounts.total_pnl_usd,
    receipts.use_ratio,
    roster.trading_day_count,
    roster.latest_session_date,
    accounts.account_id is null as has_no_limit
from roster
left join accounts on roster.account_id = accounts.account_id
left join receipts on roster.account_id = receipts.account_id;
