create table risk.marks (
    mark_id bigint generated always as identity primary key,
    load_id bigint not null references risk.loads (load_id),
    file_name text not null,
    line_number bigint not null,
    session_date date not null references risk.sessions (session_date),
    symbol text not null,
    price numeric(18, 8) check (price > 0),
    volume numeric(18, 8),
    currency text,
    multiplier numeric(18, 8) check (multiplier > 0),
    recorded_at timestamptz not null default risk.load_instant()
);

create index marks_session on risk.marks (session_date, symbol, mark_id);

comment on table risk.marks is
'Closing prices that a source gave for a session. Grain: one row per statement. Append only. The current mark '
'as of an instant: the greatest mark_id with recorded_at <= as_of.';
comment on column risk.marks.mark_id is 'Key of the statement, ascending in the order of recording.';
comment on column risk.marks.load_id is 'Load that recorded the row.';
comment on column risk.marks.file_name is 'File the row comes from.';
comment on column risk.marks.line_number is 'Line of the row in its file.';
comment on column risk.marks.session_date is 'Session the row belongs to.';
comment on column risk.marks.symbol is 'Symbol as the source writes it, upper case.';
comment on column risk.marks.price is 'Closing price in the currency; null = the source says there is none.';
comment on column risk.marks.volume is 'Traded volume of the session, where given.';
comment on column risk.marks.currency is 'ISO code; null = the instrument''s own.';
comment on column risk.marks.multiplier is 'US dollars or currency units per point and contract, where given.';
comment on column risk.marks.recorded_at is 'When the row was recorded (committed).';
