-- Creates the staging table of splits.
-- Grain: one row per split read. Reads: -. Writes: staged_splits. Binds: -. Money: -. Rerun: gone with its transaction.
create temporary table staged_splits (
    file_name text not null,
    line_number bigint not null,
    session_date date not null,
    symbol text not null,
    new_shares numeric(18, 8) not null,
    old_shares numeric(18, 8) not null
) on commit drop;
