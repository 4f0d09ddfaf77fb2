-- Reads how some symbols closed and opened in the sessions up to one: by the marks files, and by the desk's own fills.
-- Grain: one row per session, symbol, source and currency as stated (null = not stated), ascending by session; none
-- where nobody stated a mark or traded. Reads: sessions, marks, last_fills, splits.
-- Binds: symbols, session_date, session_count (so many sessions, the last one included), opening (interval).
-- Money: prices in the currency. close_price: the mark, or the last fill over all accounts. open_price: the first fill
-- over all accounts, where it was no later than the interval after the open; null = none. has_split: the session opened
-- with a split or a new symbol, so its prices do not follow from those before.
with reach as (
    select
        sessions.session_date,
        date_part('epoch', sessions.opens_at + %(opening)s::interval) * 1000000 as opened_instant
    from risk.sessions
    where sessions.session_date <= %(session_date)s
    order by sessions.session_date desc
    limit %(session_count)s
),

asked as (
    select
        reach.session_date,
        reach.opened_instant,
        named.symbol
    from reach
    cross join unnest(%(symbols)s::text[]) as named (symbol)
),

prices as (
    select
        asked.session_date,
        asked.symbol,
        'marks' as source,
        stated.currency,
        stated.price as close_price,
        null::numeric as open_price
    from asked
    cross join
        lateral (
            select
                marks.price,
                marks.currency
            from risk.marks
            where
                marks.session_date = asked.session_date
                and marks.symbol = asked.symbol
            order by marks.mark_id desc
            limit 1
        ) as stated
    where stated.price is not null
    union all
    select
        asked.session_date,
        asked.symbol,
        'fills' as source,
        last_fills.currency,
        last_fills.price as close_price,
        case when last_fills.first_instant <= asked.opened_instant then last_fills.first_price end as open_price
    from asked
    inner join derived.last_fills
        on
            asked.session_date = last_fills.session_date
            and asked.symbol = last_fills.symbol
            -- Stated once more for the key, since the planner does not know that it is a narrow range.
            and last_fills.session_date between (select min(reach.session_date) from reach) and %(session_date)s
            and last_fills.symbol = any(%(symbols)s::text[])
)

select
    prices.session_date,
    prices.symbol,
    prices.source,
    prices.currency,
    prices.close_price,
    prices.open_price,
    exists(
        select
        from risk.splits
        where
            splits.session_date = prices.session_date
            and prices.symbol = any(array[splits.symbol, splits.new_symbol])
    ) as has_split
from prices
order by
    prices.session_date asc,
    prices.symbol asc,
    prices.source asc,
    prices.currency asc;
