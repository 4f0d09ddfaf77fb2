-- Reads the desk's results by session, the newest 250 up to a session.
-- Grain: one row per session, ascending. Reads: daily_pnl. Binds: session_date, row_count.
-- Money: US dollars, gains positive; accounts with incomplete books are counted and add nothing.
with daily as (
    select
        daily_pnl.session_date,
        sum(daily_pnl.total_pnl_usd) as total_pnl_usd,
        count(*) filter (where daily_pnl.total_pnl_usd is null) as incomplete_count
    from derived.daily_pnl
    where daily_pnl.session_date <= %(session_date)s
    group by daily_pnl.session_date
    order by daily_pnl.session_date desc
    limit %(row_count)s
)

select
    daily.session_date,
    coalesce(daily.total_pnl_usd, 0) as total_pnl_usd,
    daily.incomplete_count
from daily
order by daily.session_date asc;
