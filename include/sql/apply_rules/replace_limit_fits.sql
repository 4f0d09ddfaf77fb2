-- Replaces what a run says of how the base limits fit.
-- Grain: one row per account. Writes: limit_fits.
-- Binds: run_id, fits (JSON array of objects by column name, amounts as decimal text).
-- Money: US dollars. Rerun: the same rows.
delete from results.limit_fits
where limit_fits.run_id = %(run_id)s;

insert into results.limit_fits (
    run_id,
    account_id,
    base_limit_usd,
    session_count,
    stopped_count,
    median_use_ratio,
    high_use_ratio,
    largest_use_ratio,
    hit_count,
    hit_low_ratio,
    hit_high_ratio,
    value_at_risk_usd,
    expected_shortfall_usd,
    loss_probability,
    band_low_usd,
    band_high_usd,
    is_band_open,
    verdict,
    sentence,
    warning,
    proposed_limit_usd
)
select
    %(run_id)s,
    incoming.account_id,
    incoming.base_limit_usd,
    incoming.session_count,
    incoming.stopped_count,
    incoming.median_use_ratio,
    incoming.high_use_ratio,
    incoming.largest_use_ratio,
    incoming.hit_count,
    incoming.hit_low_ratio,
    incoming.hit_high_ratio,
    incoming.value_at_risk_usd,
    incoming.expected_shortfall_usd,
    incoming.loss_probability,
    incoming.band_low_usd,
    incoming.band_high_usd,
    incoming.is_band_open,
    incoming.verdict,
    incoming.sentence,
    incoming.warning,
    incoming.proposed_limit_usd
from jsonb_populate_recordset(null::results.limit_fits, %(fits)s::jsonb) as incoming;
