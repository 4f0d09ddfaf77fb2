create table risk.splits (
    split_id bigint generated always as identity primary key,
    load_id bigint not null references risk.loads (load_id),
    file_name text not null,
    line_number bigint not null,
    session_date date not null references risk.sessions (session_date),
    symbol text not null,
    new_shares numeric(18, 8) not null check (new_shares > 0),
    old_shares numeric(18, 8) not null check (old_shares > 0),
    new_symbol text check (new_symbol <> symbol),
    recorded_at timestamptz not null default risk.load_instant()
);

comment on table risk.splits is
'Stock splits and new symbols, effective from the open of a session. Grain: one row per statement. Append only. '
'The current split as of an instant: the greatest split_id with recorded_at <= as_of.';
comment on column risk.splits.split_id is 'Key of the statement, ascending in the order of recording.';
comment on column risk.splits.load_id is 'Load that recorded the row.';
comment on column risk.splits.file_name is 'File the row comes from.';
comment on column risk.splits.line_number is 'Line of the row in its file.';
comment on column risk.splits.session_date is 'First session that trades the new shares.';
comment on column risk.splits.symbol is 'Symbol as the source writes it, upper case.';
comment on column risk.splits.new_shares is 'New shares for old_shares old ones.';
comment on column risk.splits.old_shares is 'Old shares.';
comment on column risk.splits.new_symbol is 'Symbol of the new shares; null = it stays the same.';
comment on column risk.splits.recorded_at is 'When the row was recorded (committed).';
