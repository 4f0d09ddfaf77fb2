-- Scale-free features known after a session's close, for the next session. A cache: rebuilt from daily_pnl at will.
-- Grain: one row per account and session. Reads: -. Writes: features. Binds: -. Money: -. Rerun: applied once.
-- feature_values: one number per feature in the order of risk.features.FEATURES; null = not defined yet.
create table features (
    account_id text not null,
    session_date date not null references sessions (session_date),
    feature_values double precision [] not null,
    primary key (account_id, session_date)
);
