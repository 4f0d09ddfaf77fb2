-- Checks the session's executions themselves, counted in one pass: one row per check and account.
-- Grain: one row per check and account; ids_unique only where an id repeats; price_above_zero by symbol, too.
-- Reads: current_fills, fills, deliveries, sessions. Binds: session_date, as_of, fee_ratio, fee_per_share_usd.
-- Money: US dollars, fees positive = cost.
-- NaN and Infinity are not below the limit of numeric(18, 8). A session covers its own day and the days without
-- trading just before it, and of the evening before these, from 18:00 New York, what futures traded. Fees are
-- implausible above fee_ratio of the turnover and above fee_per_share_usd a share: penny stocks exceed the first and
-- expensive ones the second every day, only a wrong unit or sign exceeds both.
-- Ids may repeat with another order or symbol, and as a copy of the order id. Usually none repeats, which the number of
-- different hashes shows: sorting integers takes a third of the time of grouping. "offset 0" keeps the planner from
-- sorting ids beside their hashes.
with bounds as (
    select
        (%(session_date)s::date + 1)::timestamp at time zone %(exchange_zone)s as ends_at,
        (max(sessions.session_date) + 1)::timestamp at time zone %(exchange_zone)s as starts_at,
        least(
            (max(sessions.session_date) + 1)::timestamp at time zone %(exchange_zone)s,
            (max(sessions.session_date) + time '18:00') at time zone 'America/New_York'
        ) as evening_at
    from risk.sessions
    where sessions.session_date < %(session_date)s
),

by_account as (
    select
        coalesce(known.account_id, '(no account)') as account_id,
        count(*) as fill_count,
        count(*) filter (
            where num_nulls(
                known.account_id, known.executed_at, known.side, known.quantity, known.symbol, known.price,
                known.fees_usd
            ) > 0
        ) as without_value_count,
        concat_ws(
            ', ',
            case when count(known.account_id) < count(*) then 'account' end,
            case when count(known.executed_at) < count(*) then 'time' end,
            case when count(known.side) < count(*) then 'side' end,
            case when count(known.quantity) < count(*) then 'quantity' end,
            case when count(known.symbol) < count(*) then 'symbol' end,
            case when count(known.price) < count(*) then 'price' end,
            case when count(known.fees_usd) < count(*) then 'fees' end
        ) as missing_values,
        count(*) filter (where known.side not in ('B', 'S', 'T', 'C')) as unknown_side_count,
        count(*) filter (where known.quantity <= 0 or known.quantity >= 10000000000) as wrong_quantity_count,
        count(*) filter (where known.price < 0 or known.price >= 10000000000) as wrong_price_count,
        count(*) filter (where known.price = 0) as zero_price_count,
        count(*) filter (
            where known.executed_at >= bounds.ends_at
            or known.executed_at < bounds.evening_at
            or (known.executed_at < bounds.starts_at and known.symbol !~ '^[/@]|[0-9!#=]')
        ) as outside_count,
        count(*) filter (where known.is_time_unknown) as untimed_count,
        min(known.executed_at) as first_executed_at,
        sum(known.fees_usd) as fees_usd,
        sum(known.quantity) as volume,
        sum(known.quantity * known.price) as turnover_usd
    from risk.current_fills(%(as_of)s) as known
    cross join bounds
    where known.session_date = %(session_date)s
    group by known.account_id
),

zero_priced as (
    select
        known.account_id,
        known.symbol,
        count(*) as fill_count,
        min(array[known.delivery_id, known.line_number]) as first_line
    from risk.current_fills(%(as_of)s) as known
    where
        (select sum(by_account.zero_price_count) > 0 from by_account)
        and known.session_date = %(session_date)s
        and known.price = 0
        and known.symbol !~ '^[0-9A-Z ]{6}[0-9]{6}[CP][0-9]{8}$'
    group by
        known.account_id,
        known.symbol
),

hashed as (
    select hashtextextended(fills.fill_key, fills.delivery_id) as hash
    from risk.fills
    where
        fills.session_date = %(session_date)s
        and fills.fill_key is not null
        and fills.fill_key is distinct from fills.order_id
    offset 0 -- noqa: AM09
),

repeated as (
    select
        known.account_id,
        fills.fill_key
    from risk.current_deliveries(%(as_of)s) as known
    inner join risk.fills on known.delivery_id = fills.delivery_id
    where
        (select count(*) > count(distinct hashed.hash) from hashed)
        and fills.session_date = %(session_date)s
        and fills.fill_key is not null
        and fills.fill_key is distinct from fills.order_id
    group by
        known.account_id,
        known.delivery_id,
        fills.fill_key,
        fills.order_id,
        fills.symbol
    having count(*) > 1
)

select
    checks.check_name,
    by_account.account_id as subject,
    concat(checks.wrong_count, ' of ', by_account.fill_count, ' executions') as observed,
    case
        when checks.wrong_count > 0
            then
                concat(
                    by_account.account_id, ': ', checks.wrong_count, ' of ', by_account.fill_count, ' executions ',
                    checks.problem
                )
    end as finding
from by_account
cross join
    lateral (
        values
        (
            'required_values',
            by_account.without_value_count,
            concat('lack a value (', by_account.missing_values, '). Redeliver the account''s session.')
        ),
        (
            'side_known',
            by_account.unknown_side_count,
            'have a side other than B, S, T or C. Redeliver the account''s session.'
        ),
        (
            'quantity_positive',
            by_account.wrong_quantity_count,
            'have a quantity that is not positive and finite. Redeliver the account''s session.'
        ),
        (
            'price_valid',
            by_account.wrong_price_count,
            'have a price that is negative or not finite. Redeliver the account''s session.'
        ),
        (
            'time_in_session',
            by_account.outside_count,
            concat(
                'are dated outside the session, the first at ',
                to_char(by_account.first_executed_at at time zone %(exchange_zone)s, 'YYYY-MM-DD HH24:MI'),
                ' ', %(exchange_city)s, '. The source delivered them with this session; check for a carried position.'
            )
        ),
        (
            'times_known',
            by_account.untimed_count,
            concat(
                'have no time of day (00:00:00). They count as the first of their day, in file order; FIFO may match ',
                'other lots than actually traded.'
            )
        )
    ) as checks (check_name, wrong_count, problem)
union all
select
    'fees_plausible' as check_name,
    by_account.account_id as subject,
    concat('$', round(by_account.fees_usd, 2), ' on $', round(by_account.turnover_usd, 2)) as observed,
    case
        when
            abs(by_account.fees_usd) > by_account.turnover_usd * %(fee_ratio)s
            and abs(by_account.fees_usd) > by_account.volume * %(fee_per_share_usd)s
            then
                concat(
                    by_account.account_id, ': fees of ',
                    replace(to_char(by_account.fees_usd, 'FM$999,999,999,990.00'), '$-', '-$'), ' on turnover of ',
                    to_char(by_account.turnover_usd, 'FM$999,999,999,990.00'), ' and ', trim_scale(by_account.volume),
                    ' shares. Check the unit and sign of the fee columns.'
                )
    end as finding
from by_account
union all
select
    'price_above_zero' as check_name,
    concat(zero_priced.account_id, ' ', zero_priced.symbol) as subject,
    concat(zero_priced.fill_count, ' at price 0') as observed,
    concat(
        zero_priced.account_id, ': ', zero_priced.fill_count, ' execution(s) of ', zero_priced.symbol,
        ', which is no option, at price 0, first in ', deliveries.file_name, ' line ', zero_priced.first_line[2],
        '. They count as received or given for nothing. Correct the price at the source if that is wrong.'
    ) as finding
from zero_priced
inner join risk.deliveries on zero_priced.first_line[1] = deliveries.delivery_id
union all
select
    'ids_unique' as check_name,
    repeated.account_id as subject,
    concat(count(*), ' repeated ids') as observed,
    concat(
        repeated.account_id, ': ', count(*), ' fill ids occur more than once, for example ', min(repeated.fill_key),
        '. Redeliver the account''s session.'
    ) as finding
from repeated
group by repeated.account_id;
