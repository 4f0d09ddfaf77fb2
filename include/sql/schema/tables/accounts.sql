create table risk.accounts (
    statement_id bigint generated always as identity primary key,
    load_id bigint not null references risk.loads (load_id),
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
    group_name text,
    trader_name text,
    recorded_at timestamptz not null default risk.load_instant()
);

comment on table risk.accounts is
'Statements about accounts (name, dates, base limit, former account), each valid until another says otherwise, '
'see current_accounts. Grain: one row per statement. Append only.';
comment on column risk.accounts.statement_id is 'Key of the statement, ascending in the order of recording.';
comment on column risk.accounts.load_id is 'Load that recorded the row.';
comment on column risk.accounts.file_name is 'File the row comes from.';
comment on column risk.accounts.line_number is 'Line of the row in its file.';
comment on column risk.accounts.valid_from is 'First day the statement applies to.';
comment on column risk.accounts.account_id is 'Account the statement is about.';
comment on column risk.accounts.display_name is 'Name for people; null = not stated.';
comment on column risk.accounts.first_traded is 'First day of trading; null = not stated.';
comment on column risk.accounts.last_traded is 'Last day of trading; null = not stated.';
comment on column risk.accounts.base_limit_usd is 'Daily loss limit before any cut, US dollars; null = not stated.';
comment on column risk.accounts.is_disabled is 'Whether the account is disabled; null = not stated.';
comment on column risk.accounts.former_account_id is
'Former account whose sessions before valid_from are this one''s history; the account itself withdraws a '
'rename.';
comment on column risk.accounts.group_name is
'Group of the account, whose values in the policy may differ; null = not stated.';
comment on column risk.accounts.trader_name is
'Person who trades the account, where one trades several; null = not stated.';
comment on column risk.accounts.recorded_at is 'When the row was recorded (committed).';
