-- Reads self-trades of some sessions, as the runs that count for them have stored them.
-- Grain: one row per self-trade, the newest first. Reads: desk_self_trades.
-- Binds: session_dates, run_ids (arrays of equal length, see select_scans). Money: price in the fill's currency.
select
    desk_self_trades.session_date,
    desk_self_trades.buyer_account_id,
    desk_self_trades.seller_account_id,
    desk_self_trades.symbol,
    desk_self_trades.executed_at,
    desk_self_trades.quantity,
    desk_self_trades.price,
    desk_self_trades.fill_count,
    desk_self_trades.is_volume_known
from unnest(%(session_dates)s::date[], %(run_ids)s::bigint[]) as scanned (session_date, run_id)
inner join results.desk_self_trades
    on
        scanned.session_date = desk_self_trades.session_date
        and scanned.run_id = desk_self_trades.run_id
order by
    desk_self_trades.executed_at desc,
    desk_self_trades.place desc;
