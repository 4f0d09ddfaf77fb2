-- Names the closing prices that are not used because they are in another currency than the books of their symbol.
-- Grain: one row per symbol; one that says so where there is none. Reads: marks, positions. Writes: quality_results.
-- Binds: run_id, check_name, session_date, as_of. Rerun: the run's earlier ones are deleted first.
-- The price of a pair such as @CADUSD is in its second currency, also where its first is stated.
-- A position in several currencies (XXX) is named with the incomplete books.
insert into results.quality_results (
    run_id,
    check_name,
    subject,
    severity,
    has_passed,
    observed,
    message
)
with latest_marks as (
    select distinct on (marks.symbol)
        marks.symbol,
        marks.price,
        case
            when marks.symbol ~ '^@[A-Z]{6}$' and marks.currency = substr(marks.symbol, 2, 3)
                then substr(marks.symbol, 5, 3)
            else marks.currency
        end as currency
    from risk.marks
    where
        marks.session_date = %(session_date)s
        and marks.recorded_at <= %(as_of)s
    order by
        marks.symbol asc,
        marks.mark_id desc
),

found as (
    select
        latest_marks.symbol,
        latest_marks.currency,
        string_agg(distinct positions.currency, ' and ' order by positions.currency) as booked_currencies,
        count(distinct positions.account_id) as account_count
    from latest_marks
    inner join derived.positions on latest_marks.symbol = positions.symbol
    where
        positions.session_date = %(session_date)s
        and positions.currency not in (latest_marks.currency, 'XXX')
        and latest_marks.price is not null
    group by
        latest_marks.symbol,
        latest_marks.currency
)

select
    %(run_id)s,
    %(check_name)s,
    found.symbol as subject,
    'warn' as severity,
    false as has_passed,
    concat(found.currency, ', not ', found.booked_currencies) as observed,
    concat(
        'The closing price of ', found.symbol, ' on ', %(session_date)s::date, ' is in ', found.currency, ', and ',
        found.account_count, ' account(s) hold or traded it in ', found.booked_currencies, ', as executions, an ',
        'instruments file or its name say: it is not used. Correct it, or state the currency in an instruments file.'
    ) as message
from found
union all
select
    %(run_id)s,
    %(check_name)s,
    '' as subject,
    'warn' as severity,
    true as has_passed,
    'none in another currency' as observed,
    'Every closing price is in the currency of its symbol.' as message
where not exists (select from found)
order by subject;
