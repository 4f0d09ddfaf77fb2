-- Reads the forecasts issued so far, up to those for a session, under the present names of the accounts.
-- Grain: one row per account, effective session and expert. Reads: forecasts, renamed_forecasts. Writes: -.
-- Binds: effective_session, as_of. Money: quantile_05_usd, US dollars, negative. Rerun: reads only.
-- Where several were issued for what is one account today, one made before the open counts first, then the one under
-- its own name.
-- double precision: the stored number is the exact decimal of one, so the cast gives it back bit by bit.
select distinct on (
    forecasts.effective_session,
    coalesce(renamed.account_id, forecasts.account_id),
    forecasts.expert
)
    coalesce(renamed.account_id, forecasts.account_id) as account_id,
    forecasts.effective_session,
    forecasts.expert,
    forecasts.quantile_05_usd::double precision as quantile_05_usd,
    forecasts.is_live
from derived.forecasts
left join risk.renamed_forecasts(%(as_of)s) as renamed
    on
        forecasts.account_id = renamed.former_account_id
        and forecasts.effective_session > renamed.starts_after
        and forecasts.effective_session <= renamed.ends_on
where forecasts.effective_session <= %(effective_session)s
order by
    forecasts.effective_session asc,
    coalesce(renamed.account_id, forecasts.account_id) asc,
    forecasts.expert asc,
    forecasts.is_live desc,
    renamed.account_id asc nulls first,
    forecasts.account_id asc;
