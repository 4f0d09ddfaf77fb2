-- Scale-free features known after a session's close, for the next session. A cache: rebuilt from daily_pnl at will.
-- Grain: one row per account and session. Reads: -. Writes: features. Binds: -. Money: -. Rerun: applied once.
-- An account has a row for the 30 sessions from its last active one on.
-- feature_values: one number per feature in the order of risk.model.features.FEATURES; null = not defined (yet).
-- real, because that is what is computed: ratios need no more than seven digits.
create table features (
    account_id text not null,
    session_date date not null references sessions (session_date),
    feature_values real[] not null,
    primary key (account_id, session_date)
);
