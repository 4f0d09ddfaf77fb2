-- What somebody states about accounts from a day on, until another statement says otherwise.
-- Grain: one row per statement. Reads: -. Writes: accounts. Binds: -. Rerun: applied once. Append only.
-- Money: base_limit_usd, US dollars, the daily loss limit before any cut. Null = this statement does not say.
-- former_account_id: an account whose sessions before valid_from are this one's history ('infinity' = all of them).
create table accounts (
    statement_id bigint generated always as identity primary key,
    load_id bigint not null references loads (load_id),
    file_name text not null,
    line_number bigint not null,
    valid_from date not null,
    account_id text not null,
    display_name text,
    first_traded date,
    last_traded date,
    base_limit_usd numeric(18, 2) check (base_limit_usd > 0),
    is_disabled boolean,
    former_account_id text,
    recorded_at timestamptz not null,
    check (former_account_id <> account_id)
);
