-- Stores forecasts; where one was issued before, that one stays.
-- Grain: one row per account, effective session and expert. Reads: sessions. Writes: forecasts.
-- Binds: run_id, model_id (one of them may be null), as_of,
-- forecasts (JSON array of objects with account_id, effective_session, expert and quantile_05_usd as decimal text).
-- Money: quantile_05_usd, US dollars, negative. Rerun: changes nothing.
insert into derived.forecasts (
    account_id,
    effective_session,
    expert,
    run_id,
    model_id,
    quantile_05_usd,
    is_live
)
select
    given.account_id,
    given.effective_session,
    given.expert,
    %(run_id)s::bigint,
    %(model_id)s::bigint,
    given.quantile_05_usd,
    %(as_of)s < sessions.opens_at as is_live
from
    jsonb_to_recordset(%(forecasts)s::jsonb) as given (
        account_id text,
        effective_session date,
        expert text,
        quantile_05_usd numeric
    )
inner join risk.sessions on given.effective_session = sessions.session_date
on conflict (account_id, effective_session, expert) do nothing;
