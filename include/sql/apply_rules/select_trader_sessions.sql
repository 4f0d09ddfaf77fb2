-- Reads the results of traders' accounts, added up: at the close, and as if every account had been at its low at once.
-- Grain: one row per trader and session in which an account of his traded or carried a position through, by trader,
-- oldest first; none where books are incomplete. Reads: daily_pnl, limit_receipts, running_lows.
-- Binds: account_ids, trader_names (arrays of equal length), through_session_date. Money: US dollars, P&L signed,
-- losses positive. The trader's largest loss lies between the two, since lows of several accounts need not coincide.
with listed as (
    select
        named.account_id,
        named.trader_name
    from unnest(%(account_ids)s::text[], %(trader_names)s::text[]) as named (account_id, trader_name)
),

incomplete as (
    select
        listed.trader_name,
        daily_pnl.session_date
    from derived.daily_pnl
    inner join listed on daily_pnl.account_id = listed.account_id
    where daily_pnl.total_pnl_usd is null
)

select
    listed.trader_name,
    sum(limit_receipts.final_usd) as close_usd,
    sum(limit_receipts.largest_loss_usd) as sum_of_lows_usd,
    bool_or(limit_receipts.outcome = 'hit' and limit_receipts.hit_kind <> 'close') as is_stopped
from derived.limit_receipts
inner join listed on limit_receipts.account_id = listed.account_id
inner join derived.running_lows
    on
        limit_receipts.account_id = running_lows.account_id
        and limit_receipts.session_date = running_lows.session_date
left join incomplete
    on
        listed.trader_name = incomplete.trader_name
        and limit_receipts.session_date = incomplete.session_date
where
    limit_receipts.session_date <= %(through_session_date)s
    and (running_lows.first_fill_at is not null or running_lows.close_usd <> 0)
    and incomplete.trader_name is null
group by
    listed.trader_name,
    limit_receipts.session_date
order by
    listed.trader_name asc,
    limit_receipts.session_date asc;
