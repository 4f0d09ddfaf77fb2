-- Reads the sessions of a calendar: so many up to the newest booked one, or to the one before a day that is asked for.
-- Grain: one row per session, newest first; none where nothing is booked. Reads: daily_pnl, sessions.
-- Binds: through_session (null = the newest), session_count.
-- Money: sums of the desk's known results, US dollars; null = nobody's is known.
with newest as (
    select max(daily_pnl.session_date) as session_date
    from derived.daily_pnl
),

span as (
    select sessions.session_date
    from risk.sessions
    inner join newest on sessions.session_date <= least(newest.session_date, %(through_session)s::date)
    where newest.session_date is not null
    order by sessions.session_date desc
    limit %(session_count)s
),

results as (
    select
        daily_pnl.session_date,
        sum(daily_pnl.total_pnl_usd) as total_pnl_usd,
        count(*) filter (where daily_pnl.total_pnl_usd < 0) as loser_count,
        count(*) filter (where daily_pnl.total_pnl_usd is null) as unknown_count,
        count(*) as account_count
    from derived.daily_pnl
    where
        daily_pnl.session_date between (select min(span.session_date) from span)
        and (select max(span.session_date) from span)
    group by daily_pnl.session_date
)

select
    span.session_date,
    results.total_pnl_usd,
    coalesce(results.loser_count, 0) as loser_count,
    coalesce(results.unknown_count, 0) as unknown_count,
    coalesce(results.account_count, 0) as account_count
from span
left join results on span.session_date = results.session_date
order by span.session_date desc;
