-- Reads the running P&L of the account-sessions of a range, as currently known.
-- Grain: one row per account and session whose books are complete. Reads: running_lows, sessions. Writes: -.
-- Binds: first_session, last_session. Money: US dollars, exact; running_lows_usd are losses, positive, ascending.
-- Rerun: reads only.
select
    running_lows.account_id,
    running_lows.session_date,
    '' as inputs_sha256,
    running_lows.running_lows_usd,
    running_lows.low_instants,
    running_lows.loss_from_top_usd,
    running_lows.close_usd,
    coalesce(running_lows.first_fill_at, sessions.closes_at) as first_at,
    greatest(running_lows.last_fill_at, sessions.closes_at) as last_at,
    sessions.closes_at
from derived.running_lows
inner join risk.sessions on running_lows.session_date = sessions.session_date
where running_lows.session_date between %(first_session)s and %(last_session)s
order by
    running_lows.session_date asc,
    running_lows.account_id asc;
