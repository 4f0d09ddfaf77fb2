-- Checks each symbol's prices in the session against the median of its last sessions.
-- Grain: one row per symbol. Reads: current_fills, sessions. Binds: session_date, as_of, window_sessions, price_factor.
-- Money: prices in the symbol's currency.
-- A symbol without history passes. A price of 0 is none.
-- The median is over the sessions' mean prices: a mean needs no sorting.
with today as (
    select
        known.symbol,
        min(known.price) filter (where known.price > 0) as lowest_price,
        max(known.price) as highest_price
    from risk.current_fills(%(as_of)s) as known
    where known.session_date = %(session_date)s
    group by known.symbol
),

earlier as (
    select
        known.session_date,
        known.symbol,
        avg(known.price) as mean_price
    from risk.current_fills(%(as_of)s) as known
    where
        known.session_date < %(session_date)s
        and known.price > 0
        and known.session_date >= (
            select min(recent.session_date)
            from (
                select sessions.session_date
                from risk.sessions
                where sessions.session_date <= %(session_date)s
                order by sessions.session_date desc
                limit %(window_sessions)s + 1
            ) as recent
        )
    group by
        known.session_date,
        known.symbol
),

history as (
    select
        earlier.symbol,
        percentile_disc(0.5) within group (order by earlier.mean_price) as median_price
    from earlier
    group by earlier.symbol
)

select
    'price_near_median' as check_name,
    today.symbol as subject,
    concat(trim_scale(today.lowest_price), ' to ', trim_scale(today.highest_price)) as observed,
    case
        when
            today.highest_price > history.median_price * %(price_factor)s
            or today.lowest_price * %(price_factor)s < history.median_price
            then
                concat(
                    today.symbol, ': traded at ', trim_scale(today.lowest_price), ' to ',
                    trim_scale(today.highest_price), ', more than ', %(price_factor)s, 'x from its recent median of ',
                    trim_scale(round(history.median_price, 4)), '. Check for a split or a wrong price.'
                )
    end as finding
from today
left join history on today.symbol = history.symbol;
