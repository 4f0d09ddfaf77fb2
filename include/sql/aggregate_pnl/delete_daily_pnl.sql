-- Removes what is computed again: the rows of some accounts from a session on.
-- Grain: one row per account given. Reads: -. Writes: daily_pnl. Money: -.
-- Binds: through_session_date, account_ids, first_session_dates (arrays of equal length). Rerun: removes nothing more.
delete from derived.daily_pnl
using unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
where
    daily_pnl.account_id = listed.account_id
    and daily_pnl.session_date between listed.first_session_date and %(through_session_date)s;
