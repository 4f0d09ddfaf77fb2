-- Stores forecasts for one session; where one was issued before, that one stays.
-- Grain: one row per account, effective session and expert. Reads: sessions. Writes: forecasts.
-- Binds: run_id, as_of, effective_session,
-- forecasts (JSON array of objects with account_id, expert and quantile_05_usd as decimal text).
-- Money: quantile_05_usd, US dollars, negative. Rerun: changes nothing.
with issuing as (
    select
        sessions.session_date as effective_session,
        %(run_id)s::bigint as run_id,
        %(as_of)s < sessions.opens_at as is_live,
        %(forecasts)s::jsonb as forecasts
    from sessions
    where sessions.session_date = %(effective_session)s
)

insert into forecasts (
    account_id,
    effective_session,
    expert,
    run_id,
    quantile_05_usd,
    is_live
)
select
    given.account_id,
    issuing.effective_session,
    given.expert,
    issuing.run_id,
    given.quantile_05_usd,
    issuing.is_live
from issuing
cross join
    lateral jsonb_to_recordset(issuing.forecasts) as given (account_id text, expert text, quantile_05_usd numeric)
on conflict (account_id, effective_session, expert) do nothing;
