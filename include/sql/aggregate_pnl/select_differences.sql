-- Computes the accounting identity a second way, from fills alone, and lists where the books disagree.
-- Realized + unrealized delta = signed cash + market value at close - market value at previous close, before fees.
-- Grain: one row per account, session, symbol and measure that disagrees; none = the books are proven.
-- Reads: current_fills, positions, daily_pnl, sessions. Writes: -. Rerun: reads only.
-- Binds: as_of, through_session_date, account_ids, first_session_dates (arrays of equal length).
-- Money: US dollars, exact; compared to the cent. Quantities here are cumulative signed fills, never those of the lots;
-- marks and multipliers are those the books used. What is unknown (no mark) is not compared, its quantity is.
with touched as (
    select
        listed.account_id,
        listed.first_session_date
    from unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
),

flows as (
    select
        known.account_id,
        known.symbol,
        known.session_date,
        sum(case when known.side in ('B', 'C') then known.quantity else -known.quantity end) as signed_quantity,
        sum(case when known.side in ('B', 'C') then -known.quantity else known.quantity end * known.price)
            as signed_cash,
        sum(known.fees_usd) as fees_usd
    from current_fills(%(as_of)s) as known
    inner join touched
        on known.account_id = touched.account_id
    where known.session_date <= %(through_session_date)s
    group by known.account_id, known.symbol, known.session_date
),

held as (
    select
        flows.account_id,
        flows.symbol,
        flows.session_date,
        flows.signed_quantity,
        flows.signed_cash,
        flows.fees_usd,
        sum(flows.signed_quantity) over by_session as quantity,
        lead(flows.session_date) over by_session as next_session_date
    from flows
    window by_session as (partition by flows.account_id, flows.symbol order by flows.session_date)
),

closes as (
    select
        held.account_id,
        held.session_date,
        held.symbol,
        held.quantity,
        held.quantity - held.signed_quantity as previous_quantity,
        held.signed_cash,
        held.fees_usd
    from held
    inner join touched
        on held.account_id = touched.account_id
    where held.session_date >= touched.first_session_date
    union all
    select
        held.account_id,
        sessions.session_date,
        held.symbol,
        held.quantity,
        held.quantity as previous_quantity,
        0 as signed_cash,
        0 as fees_usd
    from held
    inner join touched
        on held.account_id = touched.account_id
    inner join sessions
        on
            held.session_date < sessions.session_date
            and coalesce(held.next_session_date, 'infinity') > sessions.session_date
            and sessions.session_date between touched.first_session_date and %(through_session_date)s
    where
        held.quantity <> 0
        and held.session_date < %(through_session_date)s
),

books as (
    select
        positions.account_id,
        positions.session_date,
        positions.symbol,
        positions.quantity,
        positions.multiplier,
        positions.realized_pnl_usd,
        positions.unrealized_pnl_usd,
        coalesce(positions.mark_price, case when positions.quantity = 0 then 0 end) as mark_price,
        previous.session_date as previous_session_date
    from positions
    inner join touched
        on
            positions.account_id = touched.account_id
            and positions.session_date >= touched.first_session_date
    inner join sessions as closing
        on positions.session_date = closing.session_date
    inner join sessions as previous
        on previous.session_number = closing.session_number - 1
    where positions.session_date <= %(through_session_date)s
),

compared as (
    select
        coalesce(closes.account_id, books.account_id) as account_id,
        coalesce(closes.session_date, books.session_date) as session_date,
        coalesce(closes.symbol, books.symbol) as symbol,
        books.quantity as books_quantity,
        closes.quantity as fills_quantity,
        closes.fees_usd,
        books.realized_pnl_usd + books.unrealized_pnl_usd
        - case when closes.previous_quantity = 0 then 0 else before.unrealized_pnl_usd end as books_pnl_usd,
        closes.signed_cash * books.multiplier + closes.quantity * books.mark_price * books.multiplier
        - case
            when closes.previous_quantity = 0 then 0
            when before.multiplier = books.multiplier
                then closes.previous_quantity * before.mark_price * before.multiplier
        end as fills_pnl_usd
    from closes
    full join books
        on
            closes.account_id = books.account_id
            and closes.session_date = books.session_date
            and closes.symbol = books.symbol
    left join positions as before
        on
            books.account_id = before.account_id
            and books.previous_session_date = before.session_date
            and books.symbol = before.symbol
),

totals as (
    select
        compared.account_id,
        compared.session_date,
        sum(compared.fees_usd) as fees_usd,
        case
            when count(compared.fills_pnl_usd) = count(*) then sum(compared.fills_pnl_usd) - sum(compared.fees_usd)
        end as total_pnl_usd
    from compared
    group by compared.account_id, compared.session_date
),

measured as (
    select
        compared.account_id,
        compared.session_date,
        compared.symbol,
        'open quantity' as measure,
        compared.books_quantity as books_number,
        compared.fills_quantity as fills_number
    from compared
    union all
    select
        compared.account_id,
        compared.session_date,
        compared.symbol,
        'P&L before fees' as measure,
        round(compared.books_pnl_usd, 2) as books_number,
        round(compared.fills_pnl_usd, 2) as fills_number
    from compared
    union all
    select
        totals.account_id,
        totals.session_date,
        'all symbols' as symbol,
        'fees' as measure,
        round(daily_pnl.fees_usd, 2) as books_number,
        round(totals.fees_usd, 2) as fills_number
    from totals
    left join daily_pnl
        on
            totals.account_id = daily_pnl.account_id
            and totals.session_date = daily_pnl.session_date
    union all
    select
        totals.account_id,
        totals.session_date,
        'all symbols' as symbol,
        'total P&L' as measure,
        round(daily_pnl.total_pnl_usd, 2) as books_number,
        round(totals.total_pnl_usd, 2) as fills_number
    from totals
    left join daily_pnl
        on
            totals.account_id = daily_pnl.account_id
            and totals.session_date = daily_pnl.session_date
)

select
    measured.account_id,
    measured.session_date,
    measured.symbol,
    measured.measure,
    measured.books_number,
    measured.fills_number,
    count(*) over () as difference_count
from measured
where measured.books_number is distinct from measured.fills_number
order by measured.account_id, measured.session_date, measured.symbol, measured.measure
limit 1;
