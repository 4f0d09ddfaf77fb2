-- Reads every forecast that the gate reads, with when it became known.
-- Grain: one row per account, effective session and expert. Reads: issued_forecasts. Writes: -. Binds: -.
-- Money: US dollars, negative. Rerun: reads only.
select
    issued_forecasts.account_id,
    issued_forecasts.effective_session,
    issued_forecasts.expert,
    issued_forecasts.quantile_05_usd::double precision as quantile_05_usd,
    issued_forecasts.is_live,
    issued_forecasts.known_at
from pg_temp.issued_forecasts
where issued_forecasts.expert in ('calibrated', 'historical', 'model')
order by
    issued_forecasts.effective_session asc,
    issued_forecasts.account_id asc,
    issued_forecasts.expert asc;
