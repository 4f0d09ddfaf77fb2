-- Replaces what a run says of how the limits of traders with several accounts fit.
-- Grain: one row per trader. Writes: trader_fits.
-- Binds: run_id, fits (JSON array of objects by column name, amounts as decimal text).
-- Money: US dollars. Rerun: the same rows.
delete from results.trader_fits
where trader_fits.run_id = %(run_id)s;

insert into results.trader_fits (
    run_id,
    trader_name,
    account_ids,
    base_limit_usd,
    session_count,
    stopped_count,
    close_use_ratio,
    lows_use_ratio,
    close_hit_count,
    lows_hit_count,
    close_hit_low_ratio,
    lows_hit_high_ratio,
    band_low_usd,
    band_high_usd,
    verdict,
    sentence
)
select
    %(run_id)s,
    incoming.trader_name,
    incoming.account_ids,
    incoming.base_limit_usd,
    incoming.session_count,
    incoming.stopped_count,
    incoming.close_use_ratio,
    incoming.lows_use_ratio,
    incoming.close_hit_count,
    incoming.lows_hit_count,
    incoming.close_hit_low_ratio,
    incoming.lows_hit_high_ratio,
    incoming.band_low_usd,
    incoming.band_high_usd,
    incoming.verdict,
    incoming.sentence
from jsonb_populate_recordset(null::results.trader_fits, %(fits)s::jsonb) as incoming;
