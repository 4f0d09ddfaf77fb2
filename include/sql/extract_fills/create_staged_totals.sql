-- Creates the staging table of what a source's own books say; the manifest and files of totals meet in it.
-- Grain: one row per statement or trade read. Reads: -. Writes: staged_totals. Binds: -. Money: US dollars.
-- Rerun: changes nothing; gone with its transaction.
create temporary table if not exists staged_totals (
    file_name text not null,
    line_number bigint not null,
    session_date date not null,
    account_id text not null,
    gross_pnl_usd numeric(18, 8) not null,
    net_pnl_usd numeric(18, 8) not null,
    published_at timestamptz
) on commit drop;
