create table derived.features (
    account_id text not null,
    session_date date not null references risk.sessions (session_date),
    feature_values real[] not null,
    primary key (account_id, session_date)
);

comment on table derived.features is
'Scale-free features known after a session''s close, for the next session. A cache: rebuilt from daily_pnl. '
'Grain: one row per account and session, for the 30 sessions from its last active one on.';
comment on column derived.features.account_id is 'Account.';
comment on column derived.features.session_date is 'Session the row belongs to.';
comment on column derived.features.feature_values is
'One number per feature in the order of the feature table; null = not defined.';
