-- Reads the base limits that do not fit, or that the next session is likely to pass, as a run found them.
-- Grain: one row per account: losses too large for the limit, then the largest probability to pass it, then limits
-- that are never reached, by name. Reads: limit_fits. Binds: run_id. Money: US dollars.
select
    limit_fits.account_id,
    limit_fits.verdict,
    limit_fits.sentence,
    limit_fits.warning,
    limit_fits.proposed_limit_usd
from results.limit_fits
where
    limit_fits.run_id = %(run_id)s
    and (limit_fits.verdict in ('too large', 'never reached') or limit_fits.warning <> '')
order by
    limit_fits.verdict <> 'too large' asc,
    limit_fits.warning = '' asc,
    case when limit_fits.warning <> '' then limit_fits.loss_probability end desc,
    limit_fits.account_id asc;
