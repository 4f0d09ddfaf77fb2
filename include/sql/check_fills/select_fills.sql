-- Counts in one pass over the session's executions what is wrong with them, by account and in all.
-- Grain: one row per account, and one with an empty subject for the session.
-- Reads: current_fills, sessions. Writes: -. Rerun: reads only.
-- Binds: session_date, as_of, fee_ratio, fee_per_share_usd. Money: US dollars, fees positive = cost.
-- NaN and Infinity are not below the limit of numeric(18, 8). A session covers its own day and the days without
-- trading just before it. Fees are implausible above fee_ratio of the turnover and above fee_per_share_usd a share:
-- penny stocks exceed the first and expensive ones the second every day, only a wrong unit or sign exceeds both.
with bounds as (
    select
        (%(session_date)s::date + 1)::timestamp at time zone 'America/New_York' as ends_at,
        (max(sessions.session_date) + 1)::timestamp at time zone 'America/New_York' as starts_at
    from sessions
    where sessions.session_date < %(session_date)s
),

by_account as (
    select
        known.account_id,
        count(*) as fill_count,
        count(*) - count(known.account_id) as missing_account_id_count,
        count(*) - count(known.executed_at) as missing_executed_at_count,
        count(*) - count(known.side) as missing_side_count,
        count(*) - count(known.quantity) as missing_quantity_count,
        count(*) - count(known.symbol) as missing_symbol_count,
        count(*) - count(known.price) as missing_price_count,
        count(*) - count(known.fees_usd) as missing_fees_usd_count,
        count(*) filter (where known.side not in ('B', 'S', 'T', 'C')) as unknown_side_count,
        count(*) filter (where known.quantity <= 0 or known.quantity >= 10000000000) as wrong_quantity_count,
        count(*) filter (where known.price <= 0 or known.price >= 10000000000) as wrong_price_count,
        count(*) filter (
            where known.executed_at < bounds.starts_at or known.executed_at >= bounds.ends_at
        ) as stray_count,
        count(*) filter (where known.is_time_unknown) as untimed_count,
        min(known.executed_at) as first_executed_at,
        sum(known.fees_usd) as fees_usd,
        sum(known.quantity) as volume,
        sum(known.quantity * known.price) as turnover_usd
    from current_fills(%(as_of)s) as known
    cross join bounds
    where known.session_date = %(session_date)s
    group by known.account_id
),

counted as (
    select
        by_account.account_id,
        by_account.fill_count,
        by_account.missing_account_id_count,
        by_account.missing_executed_at_count,
        by_account.missing_side_count,
        by_account.missing_quantity_count,
        by_account.missing_symbol_count,
        by_account.missing_price_count,
        by_account.missing_fees_usd_count,
        by_account.unknown_side_count,
        by_account.wrong_quantity_count,
        by_account.wrong_price_count,
        by_account.stray_count,
        by_account.untimed_count,
        by_account.first_executed_at,
        by_account.fees_usd,
        by_account.volume,
        by_account.turnover_usd
    from by_account
    union all
    select
        null as account_id,
        coalesce(sum(by_account.fill_count), 0) as fill_count,
        coalesce(sum(by_account.missing_account_id_count), 0) as missing_account_id_count,
        coalesce(sum(by_account.missing_executed_at_count), 0) as missing_executed_at_count,
        coalesce(sum(by_account.missing_side_count), 0) as missing_side_count,
        coalesce(sum(by_account.missing_quantity_count), 0) as missing_quantity_count,
        coalesce(sum(by_account.missing_symbol_count), 0) as missing_symbol_count,
        coalesce(sum(by_account.missing_price_count), 0) as missing_price_count,
        coalesce(sum(by_account.missing_fees_usd_count), 0) as missing_fees_usd_count,
        coalesce(sum(by_account.unknown_side_count), 0) as unknown_side_count,
        coalesce(sum(by_account.wrong_quantity_count), 0) as wrong_quantity_count,
        coalesce(sum(by_account.wrong_price_count), 0) as wrong_price_count,
        coalesce(sum(by_account.stray_count), 0) as stray_count,
        coalesce(sum(by_account.untimed_count), 0) as untimed_count,
        min(by_account.first_executed_at) as first_executed_at,
        sum(by_account.fees_usd) as fees_usd,
        sum(by_account.volume) as volume,
        sum(by_account.turnover_usd) as turnover_usd
    from by_account
)

select
    counted.fill_count,
    counted.missing_account_id_count,
    counted.missing_executed_at_count,
    counted.missing_side_count,
    counted.missing_quantity_count,
    counted.missing_symbol_count,
    counted.missing_price_count,
    counted.missing_fees_usd_count,
    counted.unknown_side_count,
    counted.wrong_quantity_count,
    counted.wrong_price_count,
    coalesce(counted.account_id, '') as subject,
    concat(counted.stray_count, ' of ', counted.fill_count, ' executions') as days_observed,
    concat(counted.untimed_count, ' of ', counted.fill_count, ' executions') as times_observed,
    concat('$', round(counted.fees_usd, 2), ' on $', round(counted.turnover_usd, 2)) as fees_observed,
    case
        when counted.account_id is not null and counted.stray_count > 0
            then
                concat(
                    'Account ', counted.account_id, ': ', counted.stray_count, ' of ', counted.fill_count,
                    ' executions are dated outside the session, the first ',
                    to_char(counted.first_executed_at at time zone 'America/New_York', 'YYYY-MM-DD HH24:MI'),
                    ' New York. The source delivered them with this session; check for a carried position.'
                )
    end as days_finding,
    case
        when counted.account_id is not null and counted.untimed_count > 0
            then
                concat(
                    'Account ', counted.account_id, ': ', counted.untimed_count, ' of ', counted.fill_count,
                    ' executions have no time of day (00:00:00). They count as the first of their day, in the order ',
                    'of the file; which lot closes which may differ from what happened.'
                )
    end as times_finding,
    case
        when
            counted.account_id is not null
            and abs(counted.fees_usd) > counted.turnover_usd * %(fee_ratio)s
            and abs(counted.fees_usd) > counted.volume * %(fee_per_share_usd)s
            then
                concat(
                    'Account ', counted.account_id, ' has fees of $', round(counted.fees_usd, 2), ' on a turnover of $',
                    round(counted.turnover_usd, 2), ' and ', trim_scale(counted.volume),
                    ' shares. Check the unit and sign of the fee columns.'
                )
    end as fees_finding
from counted
order by subject;
