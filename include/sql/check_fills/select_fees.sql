-- Compares each account's fees in the session with what it traded.
-- Grain: one row per account. Reads: current_deliveries, fills. Writes: -. Rerun: reads only.
-- Binds: session_date, as_of, fee_ratio, fee_per_share_usd. Money: US dollars, fees positive = cost.
-- Implausible is more than fee_ratio of the turnover and more than fee_per_share_usd a share: penny stocks exceed the
-- first and expensive ones the second every day, only a wrong unit or sign exceeds both.
with summed as (
    select
        fills.account_id,
        sum(fills.fees_usd) as fees_usd,
        sum(fills.quantity) as volume,
        sum(fills.quantity * fills.price) as turnover_usd
    from current_deliveries(%(as_of)s) as current_ones
    inner join fills on current_ones.delivery_id = fills.delivery_id
    where current_ones.session_date = %(session_date)s
    group by fills.account_id
)

select
    summed.account_id as subject,
    concat('$', round(summed.fees_usd, 2), ' on $', round(summed.turnover_usd, 2)) as observed,
    case
        when
            abs(summed.fees_usd) > summed.turnover_usd * %(fee_ratio)s
            and abs(summed.fees_usd) > summed.volume * %(fee_per_share_usd)s
            then
                concat(
                    'Account ', summed.account_id, ' has fees of $', round(summed.fees_usd, 2), ' on a turnover of $',
                    round(summed.turnover_usd, 2), ' and ', trim_scale(summed.volume),
                    ' shares. Check the unit and sign of the fee columns.'
                )
    end as finding
from summed
order by summed.account_id;
