-- Lists the account-sessions with complete books whose running P&L is not followed yet.
-- Grain: one row per account and session. Reads: daily_pnl, running_lows.
select
    daily_pnl.account_id,
    daily_pnl.session_date
from derived.daily_pnl
left join derived.running_lows
    on
        daily_pnl.account_id = running_lows.account_id
        and daily_pnl.session_date = running_lows.session_date
where
    daily_pnl.total_pnl_usd is not null
    and running_lows.account_id is null
order by
    daily_pnl.session_date asc,
    daily_pnl.account_id asc;
