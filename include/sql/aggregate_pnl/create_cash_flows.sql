-- Sums up the fills of some accounts, all their sessions, for the second way of computing the books.
-- Grain: one row per delivery and symbol. Reads: fills. Writes: cash_flows.
-- Binds: as_of, through_session_date, account_ids. Money: exact; signed_cash in currency, sales positive, fees_usd
-- costs positive. Rerun: gone with its transaction.
create temporary table pg_temp.cash_flows on commit drop as
select
    any_value(fills.account_id) as account_id,
    any_value(fills.session_date) as session_date,
    fills.symbol,
    sum(case when fills.side in ('B', 'C') then fills.quantity else -fills.quantity end) as signed_quantity,
    sum(case when fills.side in ('B', 'C') then -fills.quantity else fills.quantity end * fills.price) as signed_cash,
    sum(fills.fees_usd) as fees_usd
from risk.current_fills(%(as_of)s) as fills
where
    fills.account_id = any(%(account_ids)s::text[])
    and fills.session_date <= %(through_session_date)s
group by fills.delivery_id, fills.symbol;
