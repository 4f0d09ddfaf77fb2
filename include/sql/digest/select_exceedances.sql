-- Counts the P&L below the forecast 0.05 quantile, by expert.
-- Grain: one row per expert, by name. Reads: forecasts, daily_pnl.
select
    forecasts.expert,
    count(*) as forecast_count,
    count(*) filter (where daily_pnl.total_pnl_usd < forecasts.quantile_05_usd) as exceedance_count
from derived.forecasts
inner join derived.daily_pnl
    on
        forecasts.account_id = daily_pnl.account_id
        and forecasts.effective_session = daily_pnl.session_date
where
    daily_pnl.session_date >= %(from_date)s
    and daily_pnl.session_date <= %(through_date)s
    and daily_pnl.fill_count > 0
    and daily_pnl.total_pnl_usd is not null
group by forecasts.expert
order by forecasts.expert asc;
