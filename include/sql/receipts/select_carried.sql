-- Reads the positions that some account-sessions opened with, splits applied.
-- Grain: one row per account, session and symbol. Reads: sessions, positions.
-- Binds: account_ids, session_dates (arrays of equal length).
select
    wanted.account_id,
    wanted.session_date,
    carried.symbol,
    carried.quantity + coalesce(present.split_quantity, 0) as quantity
from unnest(%(account_ids)s::text[], %(session_dates)s::date[]) as wanted (account_id, session_date)
inner join risk.sessions as trading on wanted.session_date = trading.session_date
inner join risk.sessions as previous on previous.session_number = trading.session_number - 1
inner join derived.positions as carried
    on
        wanted.account_id = carried.account_id
        and previous.session_date = carried.session_date
left join derived.positions as present
    on
        wanted.account_id = present.account_id
        and wanted.session_date = present.session_date
        and carried.symbol = present.symbol
where carried.quantity <> 0
order by
    wanted.account_id asc,
    wanted.session_date asc,
    carried.symbol asc;
