-- Daily loss limits that people have set, from a session on; without a row the default of the settings serves.
-- Grain: one row per decision. Reads: -. Writes: base_limits. Binds: -. Money: limit_usd, US dollars.
-- Rerun: applied once. Append only.
create table base_limits (
    base_limit_id bigint generated always as identity primary key,
    account_id text not null,
    valid_from date not null,
    limit_usd numeric(18, 2) not null check (limit_usd > 0),
    recorded_at timestamptz not null default clock_timestamp()
);
