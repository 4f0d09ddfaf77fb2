-- Stores the good records of this load's deliveries.
-- Grain: one row per delivery and line. Reads: checked_fills, staged_deliveries. Writes: fills. Binds: -.
-- Money: price in currency, fees_usd positive = cost. Rerun: refused, because the load has no new deliveries then.
insert into risk.fills (
    delivery_id,
    line_number,
    account_id,
    session_date,
    executed_at,
    is_time_unknown,
    side,
    quantity,
    symbol,
    price,
    currency,
    fees_usd,
    fill_key
)
select
    staged_deliveries.delivery_id,
    checked_fills.line_number,
    checked_fills.account_id,
    checked_fills.session_date,
    checked_fills.executed_at,
    checked_fills.is_time_unknown,
    checked_fills.side,
    checked_fills.quantity,
    checked_fills.symbol,
    checked_fills.price,
    checked_fills.currency,
    checked_fills.fees_usd,
    checked_fills.fill_key
from checked_fills
inner join staged_deliveries
    on
        checked_fills.file_number = staged_deliveries.file_number
        and checked_fills.account_id = staged_deliveries.account_id
        and checked_fills.session_date = staged_deliveries.session_date
where
    checked_fills.codes is null
    and checked_fills.correction_kind is null
    and staged_deliveries.is_new;
