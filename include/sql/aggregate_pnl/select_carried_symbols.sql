-- Reads what is carried into the session under the same symbol, with its first price there and what was closed of it.
-- Grain: one row per account and symbol that has a price in the session. Reads: positions, sessions, splits,
-- current_deliveries, corrected_fills, marks. Binds: session_date, as_of. Money: prices in the symbol's currency.
-- last_price: of the close before, else what the position had cost a share. closed: traded against the position.
-- stated_ratio: new shares for one old of the split that is stated; with ratio 1 somebody took one back.
-- Options and futures move as stocks do in splits: those with a digit in their name, or a prefix, are left out.
with stated as (
    select distinct on (splits.symbol)
        splits.symbol,
        splits.new_shares / splits.old_shares as ratio
    from risk.splits
    where
        splits.session_date = %(session_date)s
        and splits.recorded_at <= %(as_of)s
    order by
        splits.symbol asc,
        splits.split_id desc
),

carried as (
    select
        positions.account_id,
        positions.symbol,
        positions.quantity,
        stated.ratio as stated_ratio,
        coalesce(positions.mark_price, positions.average_open_price) as last_price
    from derived.positions
    inner join risk.sessions as previous
        on positions.session_date = previous.session_date
    inner join risk.sessions as opening
        on previous.session_number + 1 = opening.session_number
    left join stated on positions.symbol = stated.symbol
    where
        opening.session_date = %(session_date)s
        and positions.quantity <> 0
        and positions.symbol ~ '^[A-Z]+[^0-9]*$'
        and stated.ratio is distinct from 1
        and not exists (
            select
            from risk.splits
            where
                splits.session_date = %(session_date)s
                and splits.recorded_at <= %(as_of)s
                and splits.new_symbol is not null
                and positions.symbol in (splits.symbol, splits.new_symbol)
        )
),

traded as (
    select
        delivered.account_id,
        known.symbol,
        min(array[extract(epoch from known.executed_at), known.line_number, known.price]) as first_fill,
        sum(case when known.side in ('B', 'C') then known.quantity else 0 end) as bought,
        sum(case when known.side in ('B', 'C') then 0 else known.quantity end) as sold
    from risk.current_deliveries(%(as_of)s) as delivered
    inner join risk.corrected_fills(%(as_of)s) as known on delivered.delivery_id = known.delivery_id
    where
        (select count(*) > 0 from carried)
        and delivered.session_date = %(session_date)s
        and known.session_date = %(session_date)s
        and known.price > 0
        and known.symbol in (select carried.symbol from carried)
    group by
        delivered.account_id,
        known.symbol
),

opened as (
    select
        traded.symbol,
        (min(traded.first_fill))[3] as price
    from traded
    group by traded.symbol
),

latest_marks as (
    select distinct on (marks.symbol)
        marks.symbol,
        marks.price
    from risk.marks
    where
        marks.session_date = %(session_date)s
        and marks.recorded_at <= %(as_of)s
    order by
        marks.symbol asc,
        marks.mark_id desc
)

select
    carried.account_id,
    %(session_date)s::date as session_date,
    carried.symbol,
    carried.quantity::double precision as held,
    carried.last_price::double precision as last_price,
    coalesce(opened.price, latest_marks.price)::double precision as first_price,
    coalesce(case when carried.quantity > 0 then traded.sold else traded.bought end, 0)::double precision as closed,
    carried.stated_ratio::double precision as stated_ratio
from carried
left join traded
    on
        carried.account_id = traded.account_id
        and carried.symbol = traded.symbol
left join opened on carried.symbol = opened.symbol
left join latest_marks on carried.symbol = latest_marks.symbol
where
    coalesce(opened.price, latest_marks.price) is not null
    and carried.last_price is not null
order by carried.symbol, carried.account_id;
