-- Reads how the base limits fit, as known to the newest run of some sessions; no point-in-time run.
-- Grain: one row per account: too large first, then never reached, then by name. Reads: limit_fits, runs.
-- Binds: first_session, last_session (infinite = all). Money: US dollars.
with reviewed as (
    select
        runs.run_id,
        runs.session_date,
        runs.as_of
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
    reviewed.as_of,
    limit_fits.account_id,
    limit_fits.base_limit_usd,
    limit_fits.session_count,
    limit_fits.stopped_count,
    limit_fits.median_use_ratio,
    limit_fits.high_use_ratio,
    limit_fits.largest_use_ratio,
    limit_fits.hit_count,
    limit_fits.hit_low_ratio,
    limit_fits.hit_high_ratio,
    limit_fits.value_at_risk_usd,
    limit_fits.expected_shortfall_usd,
    limit_fits.loss_probability,
    limit_fits.band_low_usd,
    limit_fits.band_high_usd,
    limit_fits.is_band_open,
    limit_fits.verdict,
    limit_fits.sentence,
    limit_fits.warning,
    limit_fits.proposed_limit_usd
from reviewed
inner join results.limit_fits on reviewed.run_id = limit_fits.run_id
order by
    case limit_fits.verdict when 'too large' then 0 when 'never reached' then 1 else 2 end asc,
    limit_fits.account_id asc;
