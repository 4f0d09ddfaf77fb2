-- Reads an account's sessions: what it made and what had been forecast.
-- Grain: one row per session with books, ascending. Reads: daily_pnl, forecasts. Writes: -. Binds: account_id.
-- Money: US dollars, gains positive, the quantile negative; null where unknown. Rerun: reads only.
select
    daily_pnl.session_date,
    daily_pnl.fill_count,
    daily_pnl.net_pnl_usd,
    daily_pnl.total_pnl_usd,
    forecasts.quantile_05_usd,
    forecasts.is_live
from daily_pnl
left join forecasts
    on
        daily_pnl.account_id = forecasts.account_id
        and daily_pnl.session_date = forecasts.effective_session
        and forecasts.expert = 'calibrated'
where daily_pnl.account_id = %(account_id)s
order by daily_pnl.session_date asc;
