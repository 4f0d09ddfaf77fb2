-- Reads an account's sessions: its P&L and the forecast for it.
-- Grain: one row per session with books, ascending. Reads: daily_pnl, scored_runs, recommendations, forecasts.
-- Binds: account_id. Money: US dollars, gains positive, the quantile negative; null where unknown.
-- The forecast is the reported one, by the report that counts for the session, whether rules or model decided; where
-- none covers the account, the one that needs no model.
select
    daily_pnl.session_date,
    daily_pnl.fill_count,
    daily_pnl.total_pnl_usd,
    coalesce(recommendations.forecast_quantile_05_usd, forecasts.quantile_05_usd) as quantile_05_usd
from derived.daily_pnl
left join risk.scored_runs('infinity') as counted on daily_pnl.session_date = counted.effective_session
left join results.recommendations
    on
        counted.run_id = recommendations.run_id
        and daily_pnl.account_id = recommendations.account_id
left join derived.forecasts
    on
        daily_pnl.account_id = forecasts.account_id
        and daily_pnl.session_date = forecasts.effective_session
        and forecasts.expert = 'calibrated'
where daily_pnl.account_id = %(account_id)s
order by daily_pnl.session_date asc;
