-- Reads self-trades of some sessions: those of one run, or what the newest run says of each session.
-- Grain: one row per self-trade, the newest first. Reads: desk_self_trades, desk_scans, runs.
-- Binds: run_id (null = the newest runs), first_session, last_session. Money: price in the fill's currency.
with newest as (
    select distinct on (desk_scans.session_date)
        desk_scans.session_date,
        desk_scans.run_id
    from results.desk_scans
    inner join risk.runs on desk_scans.run_id = runs.run_id
    where
        desk_scans.session_date between %(first_session)s and %(last_session)s
        and not runs.is_point_in_time
    order by
        desk_scans.session_date asc,
        desk_scans.run_id desc
)

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
from results.desk_self_trades
left join newest on desk_self_trades.session_date = newest.session_date
where
    desk_self_trades.session_date between %(first_session)s and %(last_session)s
    and desk_self_trades.run_id = coalesce(%(run_id)s::bigint, newest.run_id)
order by
    desk_self_trades.executed_at desc,
    desk_self_trades.place desc;
