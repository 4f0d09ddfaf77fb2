-- Reads the newest results of the accounts a run recommends limits for: the curve of the mail's pictures.
-- Grain: one row per account and session with complete books, the newest curve_sessions of each, ascending.
-- Reads: recommendations, daily_pnl. Writes: -. Binds: run_id, session_date, curve_sessions.
-- Money: US dollars, gains positive. Rerun: reads only.
with recommended as (
    select recommendations.account_id
    from results.recommendations
    where recommendations.run_id = %(run_id)s
),

numbered as (
    select
        daily_pnl.account_id,
        daily_pnl.session_date,
        daily_pnl.total_pnl_usd,
        row_number() over (partition by daily_pnl.account_id order by daily_pnl.session_date desc) as age
    from derived.daily_pnl
    inner join recommended on daily_pnl.account_id = recommended.account_id
    where
        daily_pnl.session_date <= %(session_date)s
        and daily_pnl.total_pnl_usd is not null
)

select
    numbered.account_id,
    numbered.total_pnl_usd
from numbered
where numbered.age <= %(curve_sessions)s
order by
    numbered.account_id asc,
    numbered.session_date asc;
