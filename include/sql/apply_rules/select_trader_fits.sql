-- Reads how the base limits of traders with several accounts fit them, as known to the newest run of some sessions that
-- reviewed limits; no point-in-time run.
-- Grain: one row per trader: too large first, then never reached, then by name. Reads: trader_fits, limit_fits, runs.
-- Binds: first_session, last_session (infinite = all). Money: US dollars.
with reviewed as (
    select
        runs.run_id,
        runs.session_date
    from risk.runs
    where
        runs.session_date between %(first_session)s and %(last_session)s
        and not runs.is_point_in_time
        and exists (
            select 1
            from results.limit_fits
            where limit_fits.run_id = runs.run_id
        )
    order by
        runs.session_date desc,
        runs.revision desc
    limit 1
)

select
    reviewed.session_date,
    trader_fits.trader_name,
    trader_fits.account_ids,
    trader_fits.base_limit_usd,
    trader_fits.session_count,
    trader_fits.stopped_count,
    trader_fits.close_use_ratio,
    trader_fits.lows_use_ratio,
    trader_fits.close_hit_count,
    trader_fits.lows_hit_count,
    trader_fits.close_hit_low_ratio,
    trader_fits.lows_hit_high_ratio,
    trader_fits.band_low_usd,
    trader_fits.band_high_usd,
    trader_fits.verdict,
    trader_fits.sentence
from reviewed
inner join results.trader_fits on reviewed.run_id = trader_fits.run_id
order by
    case trader_fits.verdict when 'too large' then 0 when 'never reached' then 1 else 2 end asc,
    trader_fits.trader_name asc;
