-- Reads every forecast that the gate reads, with when it became known: under the name it was issued for, and under
-- the present one of a renamed account. A morning's panel has one of the two names; where it has both accounts, the
-- one issued under its own name comes last and counts.
-- Grain: one row per account, name, effective session and expert. Reads: issued_forecasts, renamed_forecasts.
-- Writes: -. Binds: -. Money: US dollars, negative. Rerun: reads only.
with named as (
    select
        renamed.account_id,
        issued_forecasts.effective_session,
        issued_forecasts.expert,
        issued_forecasts.quantile_05_usd,
        issued_forecasts.is_live,
        issued_forecasts.known_at,
        false as is_own_name
    from pg_temp.issued_forecasts
    inner join risk.renamed_forecasts('infinity') as renamed
        on
            issued_forecasts.account_id = renamed.former_account_id
            and issued_forecasts.effective_session > renamed.starts_after
            and issued_forecasts.effective_session <= renamed.ends_on
    union all
    select
        issued_forecasts.account_id,
        issued_forecasts.effective_session,
        issued_forecasts.expert,
        issued_forecasts.quantile_05_usd,
        issued_forecasts.is_live,
        issued_forecasts.known_at,
        true as is_own_name
    from pg_temp.issued_forecasts
)

select
    named.account_id,
    named.effective_session,
    named.expert,
    named.quantile_05_usd::double precision as quantile_05_usd,
    named.is_live,
    named.known_at
from named
where named.expert in ('calibrated', 'historical', 'model')
order by
    named.effective_session asc,
    named.account_id asc,
    named.expert asc,
    named.is_live asc,
    named.is_own_name asc,
    named.quantile_05_usd asc;
