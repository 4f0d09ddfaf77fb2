-- Keeps the last fill of each symbol in each session, over all accounts: what values a position without a mark.
-- Grain: one row per session, symbol and currency as told (null = not told). Reads: current_fills. Writes: last_fills.
-- Binds: -. Rerun: applied once. A cache like positions: made anew for a session whenever a delivery of it changes.
-- Money: price in currency. instant: microseconds since 1970; at one instant the greater line number counts.
create table last_fills (
    session_date date not null,
    symbol text not null,
    currency text,
    instant bigint not null,
    line_number bigint not null,
    price numeric(18, 8) not null,
    unique nulls not distinct (session_date, symbol, currency)
);

insert into last_fills (
    session_date,
    symbol,
    currency,
    instant,
    line_number,
    price
)
select distinct on (known.session_date, known.symbol, known.currency)
    known.session_date,
    known.symbol,
    known.currency,
    (date_part('epoch', known.executed_at) * 1000000)::bigint as instant,
    known.line_number,
    known.price
from current_fills('infinity') as known
order by
    known.session_date asc,
    known.symbol asc,
    known.currency asc,
    known.executed_at desc,
    known.line_number desc,
    known.price desc;
