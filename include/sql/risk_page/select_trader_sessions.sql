-- Reads an account's sessions: its P&L and the forecast for it.
-- Grain: one row per session with books, ascending. Reads: daily_pnl, scored_runs, recommendations, forecasts,
-- renamed_forecasts.
-- Binds: account_id. Money: US dollars, gains positive, the quantile negative; null where unknown.
-- The forecast is the reported one, by the report that counts for the session, whether rules or model decided; where
-- none covers the account, the one that needs no model, whether issued under its present name or a former one.
with own_forecasts as (
    select distinct on (forecasts.effective_session)
        forecasts.effective_session,
        forecasts.quantile_05_usd
    from derived.forecasts
    left join risk.renamed_forecasts('infinity') as renamed
        on
            forecasts.account_id = renamed.former_account_id
            and forecasts.effective_session > renamed.starts_after
            and forecasts.effective_session <= renamed.ends_on
    where
        forecasts.expert = 'calibrated'
        and coalesce(renamed.account_id, forecasts.account_id) = %(account_id)s
    order by
        forecasts.effective_session asc,
        forecasts.is_live desc,
        renamed.account_id asc nulls first,
        forecasts.account_id asc
)

select
    daily_pnl.session_date,
    daily_pnl.fill_count,
    daily_pnl.total_pnl_usd,
    coalesce(recommendations.forecast_quantile_05_usd, own_forecasts.quantile_05_usd) as quantile_05_usd
from derived.daily_pnl
left join risk.scored_runs('infinity') as counted on daily_pnl.session_date = counted.effective_session
left join results.recommendations
    on
        counted.run_id = recommendations.run_id
        and daily_pnl.account_id = recommendations.account_id
left join own_forecasts on daily_pnl.session_date = own_forecasts.effective_session
where daily_pnl.account_id = %(account_id)s
order by daily_pnl.session_date asc;
