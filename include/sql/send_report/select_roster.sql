-- Reads every account with its trading days, its latest one and its status in the run.
-- Grain: one row per account that has traded, by name. Reads: daily_pnl, recommendations. Writes: -.
-- Binds: run_id, session_date, legacy_suffix. Money: -. Rerun: reads only.
-- status: the recommendation's; without one the account is legacy (by its literal suffix) or inactive.
with traded as (
    select
        daily_pnl.account_id,
        count(*) as trading_day_count,
        max(daily_pnl.session_date) as latest_session_date,
        right(daily_pnl.account_id, length(%(legacy_suffix)s)) = %(legacy_suffix)s as is_legacy
    from daily_pnl
    where
        daily_pnl.fill_count > 0
        and daily_pnl.session_date <= %(session_date)s
    group by daily_pnl.account_id
),

recommended as (
    select
        recommendations.account_id,
        recommendations.status
    from recommendations
    where recommendations.run_id = %(run_id)s
)

select
    traded.account_id,
    traded.trading_day_count,
    traded.latest_session_date,
    coalesce(recommended.status, case when traded.is_legacy then 'legacy' else 'inactive' end) as status
from traded
left join recommended on traded.account_id = recommended.account_id
order by traded.account_id asc;
