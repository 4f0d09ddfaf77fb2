-- Counts the P&L below the forecast 0.05 quantile, by expert.
-- Grain: one row per expert, by name. Reads: forecasts, renamed_forecasts, daily_pnl.
-- A renamed account's forecasts count under its present name, as in predict_limits/select_forecasts.
with issued_forecasts as (
    select distinct on (
        forecasts.effective_session,
        coalesce(renamed.account_id, forecasts.account_id),
        forecasts.expert
    )
        coalesce(renamed.account_id, forecasts.account_id) as account_id,
        forecasts.effective_session,
        forecasts.expert,
        forecasts.quantile_05_usd
    from derived.forecasts
    left join risk.renamed_forecasts('infinity') as renamed
        on
            forecasts.account_id = renamed.former_account_id
            and forecasts.effective_session > renamed.starts_after
            and forecasts.effective_session <= renamed.ends_on
    where
        forecasts.effective_session >= %(from_date)s
        and forecasts.effective_session <= %(through_date)s
    order by
        forecasts.effective_session asc,
        coalesce(renamed.account_id, forecasts.account_id) asc,
        forecasts.expert asc,
        forecasts.is_live desc,
        renamed.account_id asc nulls first,
        forecasts.account_id asc
)

select
    issued_forecasts.expert,
    count(*) as forecast_count,
    count(*) filter (where daily_pnl.total_pnl_usd < issued_forecasts.quantile_05_usd) as exceedance_count
from issued_forecasts
inner join derived.daily_pnl
    on
        issued_forecasts.account_id = daily_pnl.account_id
        and issued_forecasts.effective_session = daily_pnl.session_date
where
    daily_pnl.fill_count > 0
    and daily_pnl.total_pnl_usd is not null
group by issued_forecasts.expert
order by issued_forecasts.expert asc;
