create table risk.instruments (
    instrument_id bigint generated always as identity primary key,
    load_id bigint not null references risk.loads (load_id),
    file_name text not null,
    line_number bigint not null,
    valid_from date not null,
    symbol text not null,
    multiplier numeric(18, 8) check (multiplier > 0),
    currency text,
    recorded_at timestamptz not null default risk.load_instant(),
    check (multiplier is not null or currency is not null)
);

comment on table risk.instruments is
'Statements about an instrument from a day on. Grain: one row per statement. Append only. The current one for a '
'day as of an instant: of those with recorded_at <= as_of and valid_from <= day, the greatest (valid_from, '
'instrument_id) that states the fact.';
comment on column risk.instruments.instrument_id is 'Key of the statement, ascending in the order of recording.';
comment on column risk.instruments.load_id is 'Load that recorded the row.';
comment on column risk.instruments.file_name is 'File the row comes from.';
comment on column risk.instruments.line_number is 'Line of the row in its file.';
comment on column risk.instruments.valid_from is 'First day the statement applies to.';
comment on column risk.instruments.symbol is 'Symbol as the source writes it, upper case.';
comment on column risk.instruments.multiplier is 'Currency units per point and contract; null = not stated.';
comment on column risk.instruments.currency is 'ISO code; null = not stated.';
comment on column risk.instruments.recorded_at is 'When the row was recorded (committed).';
