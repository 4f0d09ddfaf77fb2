-- Sums up the fills of some accounts, from each one's first session on, for the second way of computing the books.
-- Grain: one row per delivery and symbol. Reads: current_deliveries, corrected_fills. Writes: cash_flows.
-- Binds: as_of, through_session_date, account_ids and first_session_dates (arrays of equal length), the earliest of
-- these, first_session_date, and source_account_ids. Money: exact; signed_cash in currency, sales positive, fees_usd
-- costs positive. Rerun: gone with its transaction.
create temporary table pg_temp.cash_flows on commit drop as
select
    any_value(delivered.account_id) as account_id,
    any_value(delivered.session_date) as session_date,
    fills.symbol,
    sum(case when fills.side in ('B', 'C') then fills.quantity else -fills.quantity end) as signed_quantity,
    sum(case when fills.side in ('B', 'C') then -fills.quantity else fills.quantity end * fills.price) as signed_cash,
    sum(fills.fees_usd) as fees_usd
from unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as touched (account_id, first_session_date)
inner join risk.current_deliveries(%(as_of)s) as delivered
    on
        touched.account_id = delivered.account_id
        and touched.first_session_date <= delivered.session_date
inner join risk.corrected_fills(%(as_of)s) as fills on delivered.delivery_id = fills.delivery_id
-- For the indexes: what is touched once more for each function.
where
    delivered.source_account_id = any(%(source_account_ids)s::text[])
    and delivered.session_date between %(first_session_date)s and %(through_session_date)s
    and fills.session_date between %(first_session_date)s and %(through_session_date)s
group by fills.delivery_id, fills.symbol;
