-- Creates the staging table of closing prices.
-- Grain: one row per mark read. Reads: -. Writes: staged_marks. Binds: -. Rerun: gone with its transaction.
-- Money: price in currency; null = the source says there is none.
create temporary table staged_marks (
    file_name text not null,
    line_number bigint not null,
    session_date date not null,
    symbol text not null,
    price numeric(18, 8),
    currency text,
    multiplier numeric(18, 8),
    volume numeric(18, 8)
) on commit drop;
