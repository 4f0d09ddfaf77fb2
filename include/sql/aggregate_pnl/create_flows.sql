-- Sums up the fills of some accounts, all their sessions, for the second way of computing the books.
-- Grain: one row per delivery and symbol. Reads: current_fills. Writes: flows.
-- Binds: as_of, through_session_date, account_ids. Money: exact; signed_cash in currency, sales positive, fees_usd
-- costs positive. Rerun: gone with its transaction.
create temporary table flows on commit drop as
select
    any_value(known.account_id) as account_id,
    any_value(known.session_date) as session_date,
    known.symbol,
    sum(case when known.side in ('B', 'C') then known.quantity else -known.quantity end) as signed_quantity,
    sum(case when known.side in ('B', 'C') then -known.quantity else known.quantity end * known.price) as signed_cash,
    sum(known.fees_usd) as fees_usd
from risk.current_fills(%(as_of)s) as known
where
    known.account_id = any(%(account_ids)s::text[])
    and known.session_date <= %(through_session_date)s
group by known.delivery_id, known.symbol;
