-- Adds up the desk's session: who traded, what they made.
-- Grain: one row. Reads: daily_pnl. Writes: -. Binds: session_date.
-- Money: US dollars, gains positive; null where nobody traded or no books are complete. Rerun: reads only.
-- Both sums are of the same accounts: one whose books are incomplete may know its net, and is in neither.
-- Accounts without a fill count nowhere: whether they did not trade or are not posted yet is theirs to say.
select
    count(*) as traded_account_count,
    count(daily_pnl.incomplete_reason) as incomplete_account_count,
    coalesce(sum(daily_pnl.fill_count), 0)::bigint as fill_count,
    sum(daily_pnl.net_pnl_usd) filter (where daily_pnl.incomplete_reason is null) as net_pnl_usd,
    sum(daily_pnl.total_pnl_usd) as total_pnl_usd
from derived.daily_pnl
where
    daily_pnl.session_date = %(session_date)s
    and daily_pnl.fill_count > 0;
