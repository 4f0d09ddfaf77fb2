-- Reads the forecasts issued so far, up to those for a session.
-- Grain: one row per account, effective session and expert. Reads: forecasts. Writes: -. Binds: effective_session.
-- Money: quantile_05_usd, US dollars, negative. Rerun: reads only.
-- double precision: the stored number is the exact decimal of one, so the cast gives it back bit by bit.
select
    forecasts.account_id,
    forecasts.effective_session,
    forecasts.expert,
    forecasts.quantile_05_usd::double precision as quantile_05_usd,
    forecasts.is_live
from derived.forecasts
where forecasts.effective_session <= %(effective_session)s
order by
    forecasts.effective_session asc,
    forecasts.account_id asc,
    forecasts.expert asc;
