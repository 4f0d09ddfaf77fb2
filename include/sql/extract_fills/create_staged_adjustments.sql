-- Creates the staging table of adjustments.
-- Grain: one row per adjustment read. Reads: -. Writes: staged_adjustments. Binds: -. Rerun: gone with its transaction.
-- Money: amount_usd, US dollars, positive = credit.
create temporary table staged_adjustments (
    file_name text not null,
    line_number bigint not null,
    session_date date not null,
    account_id text not null,
    offset_account_id text,
    category text not null,
    amount_usd numeric(18, 8) not null,
    comment text
) on commit drop;
