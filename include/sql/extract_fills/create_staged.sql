-- Creates the staging tables of a load.
-- Reads: -. Writes: staged_*. Binds: -. Rerun: gone with their transaction.
-- A row per file, account and session. content_sha256: hash of the records, good and bad.
create temporary table pg_temp.staged_deliveries (
    file_name text not null,
    account_id text not null,
    session_date date not null,
    published_at timestamptz,
    stated_count bigint,
    row_count bigint not null,
    loaded_count bigint not null,
    lost_count bigint not null,
    duplicate_count bigint not null,
    content_sha256 text not null,
    note text,
    is_new boolean
) on commit drop;

-- A row per file and line. content_sha256: hash of the file's bytes.
create temporary table pg_temp.staged_rejects (
    file_name text not null,
    content_sha256 text not null,
    line_number bigint not null,
    delivery_id bigint,
    account_id text,
    session_date date,
    raw_text text not null,
    reason text not null,
    cause text not null,
    is_reference boolean not null
) on commit drop;

-- A row per mark read; price in currency, null = the source says there is none.
create temporary table pg_temp.staged_marks (
    file_name text not null,
    line_number bigint not null,
    session_date date not null,
    symbol text not null,
    price numeric(18, 8),
    currency text,
    multiplier numeric(18, 8),
    volume numeric(18, 8)
) on commit drop;

-- A row per statement about an instrument read.
create temporary table pg_temp.staged_instruments (
    file_name text not null,
    line_number bigint not null,
    valid_from date not null,
    symbol text not null,
    multiplier numeric(18, 8),
    currency text
) on commit drop;

-- A row per split read.
create temporary table pg_temp.staged_splits (
    file_name text not null,
    line_number bigint not null,
    session_date date not null,
    symbol text not null,
    new_shares numeric(18, 8) not null,
    old_shares numeric(18, 8) not null,
    new_symbol text
) on commit drop;

-- A row per adjustment read; amount_usd in US dollars, positive = credit.
create temporary table pg_temp.staged_adjustments (
    file_name text not null,
    line_number bigint not null,
    session_date date not null,
    account_id text not null,
    offset_account_id text,
    category text not null,
    amount_usd numeric(18, 8) not null,
    comment text
) on commit drop;

-- A row per statement or trade read of what the source's own books say, US dollars; the manifest and files meet here.
create temporary table pg_temp.staged_totals (
    file_name text not null,
    line_number bigint not null,
    session_date date not null,
    account_id text not null,
    gross_pnl_usd numeric(18, 8) not null,
    net_pnl_usd numeric(18, 8) not null,
    published_at timestamptz
) on commit drop;

-- A row per limit on the trading platform read, US dollars.
create temporary table pg_temp.staged_limits_in_force (
    file_name text not null,
    line_number bigint not null,
    stated_for date not null,
    account_id text not null,
    limit_usd numeric(18, 2) not null
) on commit drop;

-- A row per statement about an account read; base_limit_usd in US dollars.
create temporary table pg_temp.staged_accounts (
    file_name text not null,
    line_number bigint not null,
    valid_from date not null,
    account_id text not null,
    display_name text,
    first_traded date,
    last_traded date,
    base_limit_usd numeric(18, 2),
    is_disabled boolean,
    former_account_id text,
    group_name text,
    trader_name text
) on commit drop;
