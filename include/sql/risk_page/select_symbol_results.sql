-- Reads what an account traded and made in each symbol over a range of sessions, as the books are now.
-- Grain: one row per symbol, the largest turnover first. Reads: positions, sessions, daily_pnl, fills,
-- collected_corrections.
-- Binds: account_id, first_session_date, last_session_date, delivery_ids (those that count for the account there).
-- Money: US dollars; pnl_usd net of fees, gains positive: its sum over the symbols is the sum of total_pnl_usd.
-- Sessions with incomplete books do not count in pnl_usd; null where no other is left. turnover_usd null = unknown.
with held as (
    select
        positions.session_date,
        positions.symbol,
        positions.multiplier * positions.rate as point_usd,
        case
            when daily_pnl.total_pnl_usd is not null
                then
                    positions.realized_pnl_usd
                    + positions.unrealized_pnl_usd
                    - coalesce(before.unrealized_pnl_usd, 0)
        end as gross_usd
    from derived.positions
    inner join derived.daily_pnl
        on
            positions.account_id = daily_pnl.account_id
            and positions.session_date = daily_pnl.session_date
    inner join risk.sessions as trading on positions.session_date = trading.session_date
    inner join risk.sessions as previous on previous.session_number = trading.session_number - 1
    left join derived.positions as before
        on
            positions.account_id = before.account_id
            and previous.session_date = before.session_date
            and positions.symbol = before.symbol
    where
        positions.account_id = %(account_id)s
        and positions.session_date between %(first_session_date)s and %(last_session_date)s
),

traded as (
    select
        fills.session_date,
        coalesce(applied.symbol, fills.symbol) as symbol,
        count(*) as fill_count,
        sum(coalesce(applied.quantity, fills.quantity) * coalesce(applied.price, fills.price)) as amount,
        sum(coalesce(applied.fees_usd, fills.fees_usd)) as fees_usd
    from risk.fills
    left join risk.collected_corrections('infinity') as applied
        on
            fills.delivery_id = applied.delivery_id
            and fills.line_number = applied.line_number
    where
        fills.session_date between %(first_session_date)s and %(last_session_date)s
        and fills.delivery_id = any(%(delivery_ids)s::bigint[])
        and not coalesce(applied.kind = 'canceled', false)
    group by
        fills.session_date,
        coalesce(applied.symbol, fills.symbol)
)

select
    held.symbol,
    count(traded.symbol) as session_count,
    coalesce(sum(traded.fill_count), 0)::bigint as fill_count,
    case
        when count(*) filter (where traded.amount is not null and held.point_usd is null) = 0
            then coalesce(sum(traded.amount * held.point_usd), 0)
    end as turnover_usd,
    coalesce(sum(traded.fees_usd), 0) as fees_usd,
    sum(held.gross_usd - coalesce(traded.fees_usd, 0)) as pnl_usd
from held
left join traded
    on
        held.session_date = traded.session_date
        and held.symbol = traded.symbol
group by held.symbol
order by
    turnover_usd desc nulls last,
    held.symbol asc;
