-- Creates the staging table of statements about accounts.
-- Grain: one row per statement read. Reads: -. Writes: staged_accounts. Binds: -. Money: base_limit_usd, US dollars.
-- Rerun: gone with its transaction.
create temporary table staged_accounts (
    file_name text not null,
    line_number bigint not null,
    valid_from date not null,
    account_id text not null,
    display_name text,
    first_traded date,
    last_traded date,
    base_limit_usd numeric(18, 2),
    is_disabled boolean,
    former_account_id text
) on commit drop;
