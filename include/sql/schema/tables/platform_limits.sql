create table risk.platform_limits (
    statement_id bigint generated always as identity primary key,
    account_id text not null,
    limit_usd numeric(18, 2) not null check (limit_usd >= 0),
    stated_for date,
    load_id bigint references risk.loads (load_id),
    file_name text,
    line_number bigint,
    user_id text,
    user_name text,
    recorded_at timestamptz not null default risk.load_instant(),
    check ((file_name is null) <> (user_id is null)),
    check ((file_name is null) = (stated_for is null))
);

create index platform_limits_newest on risk.platform_limits (account_id, recorded_at);

comment on table risk.platform_limits is
'Limits that the trading platform has: read back from it, or entered there by a person. Grain: one row per statement. '
'Append only.';
comment on column risk.platform_limits.statement_id is 'Key of the statement, ascending in the order of recording.';
comment on column risk.platform_limits.account_id is 'Account as the platform names it.';
comment on column risk.platform_limits.limit_usd is 'Daily loss limit on the platform, US dollars; 0 = no trading.';
comment on column risk.platform_limits.stated_for is
'Day in the exchange''s zone that a read-back file is about; null for a person''s statement.';
comment on column risk.platform_limits.load_id is 'Load that recorded a file''s row; null for a person''s statement.';
comment on column risk.platform_limits.file_name is 'File the row comes from; null for a person''s statement.';
comment on column risk.platform_limits.line_number is 'Line of the row in its file.';
comment on column risk.platform_limits.user_id is 'Airflow''s id of the person; null for a file.';
comment on column risk.platform_limits.user_name is 'Name of the person.';
comment on column risk.platform_limits.recorded_at is 'When the row was recorded (committed).';
