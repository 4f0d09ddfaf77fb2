-- Adds the forecasts that became known between two instants to the temporary ones; from the beginning, in their place.
-- Grain: one row per account, effective session and expert. Reads: issued_forecasts. Writes: forecasts (temporary).
-- Binds: after (-infinity = from the beginning), as_of. Money: US dollars, quantiles negative. Rerun: adds nothing.
delete from private.forecasts
where %(after)s::timestamptz = '-infinity'::timestamptz;

insert into private.forecasts (
    account_id,
    effective_session,
    expert,
    run_id,
    quantile_05_usd,
    is_live,
    model_id
)
select
    issued_forecasts.account_id,
    issued_forecasts.effective_session,
    issued_forecasts.expert,
    issued_forecasts.run_id,
    issued_forecasts.quantile_05_usd,
    issued_forecasts.is_live,
    issued_forecasts.model_id
from pg_temp.issued_forecasts
where
    issued_forecasts.known_at > %(after)s
    and issued_forecasts.known_at <= %(as_of)s
order by
    issued_forecasts.effective_session asc,
    issued_forecasts.account_id asc,
    issued_forecasts.expert asc
on conflict do nothing;
