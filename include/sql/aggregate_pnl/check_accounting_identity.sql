-- Computes the accounting identity a second way, from fills and splits alone, and lists where the books disagree.
-- Realized + unrealized delta = signed cash + market value at close - market value at previous close, before fees and
-- in the instrument's own currency. A split and an expiry move shares without cash: they enter by the quantities. So
-- does a new symbol, which takes over the value at the previous close, too.
-- Grain: one row per account, session, symbol and measure that disagrees; none = the books are proven.
-- Reads: cash_flows, splits, marks, positions, daily_pnl, sessions.
-- Quantities begin with those of the close before an account's first session: these were proven when they were written,
-- and nothing before that session has changed. That they are still what was written then is seen by their value, which
-- daily_pnl keeps, too.
-- Binds: as_of, through_session_date, account_ids, first_session_dates (arrays of equal length).
-- Money: exact; compared to the cent. Quantities here are cumulative signed fills with the splits' and expiries' terms,
-- which are computed again, never those of the lots; marks, multipliers and rates are those the books used.
-- What is unknown (no mark) is not compared, its quantity is.
with touched as (
    select
        listed.account_id,
        listed.first_session_date
    from unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
),

spans as (
    select
        closing.session_date,
        previous.session_date as previous_session_date,
        following.session_date as next_session_date
    from risk.sessions as closing
    left join risk.sessions as previous
        on previous.session_number = closing.session_number - 1
    left join risk.sessions as following
        on following.session_number = closing.session_number + 1
),

carried as (
    select
        positions.account_id,
        positions.symbol,
        positions.session_date,
        positions.quantity,
        abs(positions.quantity) * positions.mark_price * positions.multiplier * positions.rate as value_usd
    from touched
    inner join spans
        on touched.first_session_date = spans.session_date
    inner join derived.positions
        on
            touched.account_id = positions.account_id
            and spans.previous_session_date = positions.session_date
    where positions.quantity <> 0
),

moves as (
    select
        cash_flows.account_id,
        cash_flows.symbol,
        cash_flows.session_date,
        cash_flows.signed_quantity,
        cash_flows.signed_cash,
        cash_flows.fees_usd,
        0 as split_quantity,
        0 as expired_quantity
    from pg_temp.cash_flows
    union all
    select
        positions.account_id,
        positions.symbol,
        positions.session_date,
        0 as signed_quantity,
        0 as signed_cash,
        0 as fees_usd,
        positions.split_quantity,
        positions.expired_quantity
    from derived.positions
    inner join touched
        on
            positions.account_id = touched.account_id
            and positions.session_date >= touched.first_session_date
    where
        positions.session_date <= %(through_session_date)s
        and (positions.split_quantity <> 0 or positions.expired_quantity <> 0)
    union all
    select
        carried.account_id,
        carried.symbol,
        carried.session_date,
        carried.quantity as signed_quantity,
        0 as signed_cash,
        0 as fees_usd,
        0 as split_quantity,
        0 as expired_quantity
    from carried
),

moved as (
    select
        moves.account_id,
        moves.symbol,
        moves.session_date,
        sum(moves.signed_quantity) as signed_quantity,
        sum(moves.signed_cash) as signed_cash,
        sum(moves.fees_usd) as fees_usd,
        sum(moves.split_quantity) as split_quantity,
        sum(moves.expired_quantity) as expired_quantity
    from moves
    group by moves.account_id, moves.symbol, moves.session_date
),

held as (
    select
        moved.account_id,
        moved.symbol,
        moved.session_date,
        moved.signed_quantity,
        moved.signed_cash,
        moved.fees_usd,
        moved.split_quantity,
        moved.expired_quantity,
        sum(moved.signed_quantity + moved.split_quantity + moved.expired_quantity) over by_session as quantity,
        lead(moved.session_date) over by_session as next_session_date
    from moved
    window by_session as (partition by moved.account_id, moved.symbol order by moved.session_date)
),

closes as (
    select
        held.account_id,
        held.session_date,
        held.symbol,
        held.quantity,
        held.quantity - held.signed_quantity - held.split_quantity - held.expired_quantity as previous_quantity,
        held.signed_quantity,
        held.signed_cash,
        held.fees_usd,
        held.split_quantity,
        held.expired_quantity
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
        0 as signed_quantity,
        0 as signed_cash,
        0 as fees_usd,
        0 as split_quantity,
        0 as expired_quantity
    from held
    inner join touched
        on held.account_id = touched.account_id
    inner join risk.sessions
        on
            held.session_date < sessions.session_date
            and coalesce(held.next_session_date, 'infinity') > sessions.session_date
            and sessions.session_date between touched.first_session_date and %(through_session_date)s
    where
        held.quantity <> 0
        and held.session_date < %(through_session_date)s
),

ratios as (
    select distinct on (splits.session_date, splits.symbol)
        splits.session_date,
        splits.symbol,
        splits.new_shares,
        splits.old_shares,
        splits.new_symbol
    from risk.splits
    where splits.recorded_at <= %(as_of)s
    order by
        splits.session_date asc,
        splits.symbol asc,
        splits.split_id desc
),

arrivals as (
    select
        closes.account_id,
        closes.session_date,
        ratios.new_symbol as symbol,
        sum(
            sign(closes.previous_quantity)
            * div(abs(closes.previous_quantity) * 100000000 * ratios.new_shares, ratios.old_shares) * 0.00000001
        ) as quantity,
        case when count(before.unrealized_pnl) = count(*) then sum(before.unrealized_pnl) end as previous_pnl,
        case
            when count(before.unrealized_pnl_usd) = count(*) then sum(before.unrealized_pnl_usd)
        end as previous_pnl_usd,
        case
            when count(before.mark_price) = count(*) then sum(closes.previous_quantity * before.mark_price)
        end as previous_points,
        case
            when min(before.multiplier) = max(before.multiplier) and count(before.multiplier) = count(*)
                then min(before.multiplier)
        end as previous_multiplier
    from closes
    inner join ratios
        on
            closes.session_date = ratios.session_date
            and closes.symbol = ratios.symbol
    inner join risk.sessions as opening
        on closes.session_date = opening.session_date
    inner join risk.sessions as previous
        on previous.session_number = opening.session_number - 1
    left join derived.positions as before
        on
            closes.account_id = before.account_id
            and previous.session_date = before.session_date
            and closes.symbol = before.symbol
    where
        ratios.new_symbol is not null
        and closes.previous_quantity <> 0
    group by
        closes.account_id,
        closes.session_date,
        ratios.new_symbol
),

priced as (
    select distinct on (marks.session_date, marks.symbol)
        marks.session_date,
        marks.symbol,
        marks.price
    from risk.marks
    where marks.recorded_at <= %(as_of)s
    order by
        marks.session_date asc,
        marks.symbol asc,
        marks.mark_id desc
),

books as (
    select
        positions.account_id,
        positions.session_date,
        positions.symbol,
        positions.currency,
        positions.quantity,
        positions.multiplier,
        positions.rate,
        positions.realized_pnl,
        positions.unrealized_pnl,
        positions.mark_source,
        coalesce(positions.mark_price, case when positions.quantity = 0 then 0 end) as mark_price,
        spans.previous_session_date,
        spans.next_session_date
    from derived.positions
    inner join touched
        on
            positions.account_id = touched.account_id
            and positions.session_date >= touched.first_session_date
    inner join spans
        on positions.session_date = spans.session_date
    where positions.session_date <= %(through_session_date)s
),

options as (
    select
        listed.symbol,
        case
            when
                left(listed.symbol, -9) ~ '^[0-9]*[A-Z][A-Z0-9]* {0,5}[0-9]{6}$'
                and right(listed.symbol, 9) ~ '^[CP][0-9]{8}$'
                and pg_input_is_valid(concat('20', right(left(listed.symbol, -9), 6)), 'date')
                then concat('20', right(left(listed.symbol, -9), 6))::date
        end as last_day
    from (select distinct closes.symbol from closes where length(closes.symbol) > 15) as listed
),

expected as (
    select
        closes.account_id,
        closes.session_date,
        closes.symbol,
        closes.quantity,
        closes.previous_quantity,
        closes.signed_cash,
        closes.fees_usd,
        closes.split_quantity as books_split_quantity,
        closes.expired_quantity as books_expired_quantity,
        case
            when closes.previous_quantity = 0 or ratios.symbol is null then 0
            when ratios.new_symbol is not null then -closes.previous_quantity
            else
                sign(closes.previous_quantity)
                * div(abs(closes.previous_quantity) * 100000000 * ratios.new_shares, ratios.old_shares) * 0.00000001
                - closes.previous_quantity
        end + coalesce(arrivals.quantity, 0) as split_quantity,
        closes.previous_quantity <> 0 and ratios.new_symbol is null as is_carried,
        arrivals.symbol is not null as has_arrived,
        arrivals.previous_pnl,
        arrivals.previous_pnl_usd,
        arrivals.previous_points,
        arrivals.previous_multiplier,
        case
            when
                options.last_day >= spans.session_date
                and options.last_day < spans.next_session_date
                and priced.price is null
                then -(closes.previous_quantity + closes.split_quantity + closes.signed_quantity)
            when options.last_day < spans.session_date and closes.previous_quantity = 0 and closes.signed_cash = 0
                then -closes.signed_quantity
            else 0
        end as expired_quantity
    from closes
    inner join spans
        on closes.session_date = spans.session_date
    left join ratios
        on
            closes.session_date = ratios.session_date
            and closes.symbol = ratios.symbol
    left join arrivals
        on
            closes.account_id = arrivals.account_id
            and closes.session_date = arrivals.session_date
            and closes.symbol = arrivals.symbol
    left join options
        on closes.symbol = options.symbol
    left join priced
        on
            closes.session_date = priced.session_date
            and closes.symbol = priced.symbol
            and options.last_day is not null
),

compared as (
    select
        coalesce(expected.account_id, books.account_id) as account_id,
        coalesce(expected.session_date, books.session_date) as session_date,
        coalesce(expected.symbol, books.symbol) as symbol,
        books.quantity as books_quantity,
        expected.quantity as fills_quantity,
        expected.fees_usd,
        expected.books_split_quantity,
        expected.split_quantity,
        expected.books_expired_quantity,
        expected.expired_quantity,
        books.rate,
        case expected.is_carried when true then before.unrealized_pnl when false then 0 end
        + case when expected.has_arrived then expected.previous_pnl else 0 end as previous_pnl,
        case expected.is_carried when true then before.unrealized_pnl_usd when false then 0 end
        + case when expected.has_arrived then expected.previous_pnl_usd else 0 end as previous_pnl_usd,
        books.realized_pnl + books.unrealized_pnl as books_value,
        expected.signed_cash * books.multiplier + expected.quantity * books.mark_price * books.multiplier
        - case
            when not expected.is_carried then 0
            when before.multiplier = books.multiplier
                then expected.previous_quantity * before.mark_price * before.multiplier
        end
        - case
            when not expected.has_arrived then 0
            when expected.previous_multiplier = books.multiplier
                then expected.previous_points * expected.previous_multiplier
        end as fills_pnl
    from expected
    full join books
        on
            expected.account_id = books.account_id
            and expected.session_date = books.session_date
            and expected.symbol = books.symbol
    left join derived.positions as before
        on
            books.account_id = before.account_id
            and books.previous_session_date = before.session_date
            and books.symbol = before.symbol
            -- Once more, so that those of other accounts are not read.
            and before.account_id = any(%(account_ids)s::text[])
),

results as (
    select
        compared.account_id,
        compared.session_date,
        compared.fees_usd,
        (compared.fills_pnl + compared.previous_pnl) * compared.rate - compared.previous_pnl_usd as pnl_usd
    from compared
),

totals as (
    select
        results.account_id,
        results.session_date,
        sum(results.fees_usd) as fees_usd,
        case
            when count(results.pnl_usd) = count(*) then sum(results.pnl_usd) - sum(results.fees_usd)
        end as total_pnl_usd
    from results
    group by results.account_id, results.session_date
),

openings as (
    select
        touched.account_id,
        spans.previous_session_date as session_date,
        daily_pnl.overnight_usd,
        case
            when
                count(carried.symbol) = count(carried.value_usd)
                and (count(carried.symbol) > 0 or count(daily_pnl.account_id) > 0)
                then coalesce(sum(carried.value_usd), 0)
        end as carried_usd
    from touched
    inner join spans
        on touched.first_session_date = spans.session_date
    left join derived.daily_pnl
        on
            touched.account_id = daily_pnl.account_id
            and spans.previous_session_date = daily_pnl.session_date
    left join carried
        on touched.account_id = carried.account_id
    group by
        touched.account_id,
        spans.previous_session_date,
        daily_pnl.overnight_usd
),

measured as (
    select
        openings.account_id,
        openings.session_date,
        'all symbols' as symbol,
        'value held overnight' as measure,
        openings.carried_usd as books_number,
        openings.overnight_usd as fills_number
    from openings
    union all
    select
        compared.account_id,
        compared.session_date,
        compared.symbol,
        numbers.measure,
        numbers.books_number,
        numbers.fills_number
    from compared
    cross join
        lateral (
            values
            ('open quantity', compared.books_quantity, compared.fills_quantity),
            ('quantity added by a split', compared.books_split_quantity, compared.split_quantity),
            ('quantity ended by expiry', compared.books_expired_quantity, compared.expired_quantity),
            ('P&L before fees', round(compared.books_value - compared.previous_pnl, 2), round(compared.fills_pnl, 2))
        ) as numbers (measure, books_number, fills_number)
    union all
    select
        totals.account_id,
        totals.session_date,
        'all symbols' as symbol,
        numbers.measure,
        round(numbers.books_number, 2) as books_number,
        round(numbers.fills_number, 2) as fills_number
    from totals
    left join derived.daily_pnl
        on
            totals.account_id = daily_pnl.account_id
            and totals.session_date = daily_pnl.session_date
            and daily_pnl.account_id = any(%(account_ids)s::text[])
    cross join lateral (
        values
        ('fees', daily_pnl.fees_usd, totals.fees_usd),
        -- Where rows are lost the books have no total: then its parts are checked.
        (
            'total P&L',
            coalesce(daily_pnl.total_pnl_usd, daily_pnl.net_pnl_usd + daily_pnl.unrealized_delta_usd),
            totals.total_pnl_usd
        )
    ) as numbers (measure, books_number, fills_number)
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
