-- Creates the staging table of statements about instruments.
-- Grain: one row per statement read. Reads: -. Writes: staged_instruments. Binds: -. Money: -.
-- Rerun: gone with its transaction.
create temporary table staged_instruments (
    file_name text not null,
    line_number bigint not null,
    valid_from date not null,
    symbol text not null,
    multiplier numeric(18, 8),
    currency text
) on commit drop;
