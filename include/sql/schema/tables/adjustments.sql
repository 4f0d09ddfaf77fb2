create table risk.adjustments (
    adjustment_id bigint generated always as identity primary key,
    load_id bigint not null references risk.loads (load_id),
    file_name text not null,
    line_number bigint not null,
    session_date date not null references risk.sessions (session_date),
    account_id text not null,
    offset_account_id text,
    category text not null,
    amount_usd numeric(18, 8) not null,
    comment text not null,
    recorded_at timestamptz not null default risk.load_instant(),
    check (offset_account_id <> account_id)
);

comment on table risk.adjustments is
'Cash booked to accounts beside trading (deposits, data fees, ...); no part of any P&L. Grain: one row per '
'statement. Append only. The current ones of an account and session as of an instant: all of its newest load.';
comment on column risk.adjustments.adjustment_id is 'Key of the statement.';
comment on column risk.adjustments.load_id is 'Load that recorded the row.';
comment on column risk.adjustments.file_name is 'File the row comes from.';
comment on column risk.adjustments.line_number is 'Line of the row in its file.';
comment on column risk.adjustments.session_date is 'Session the row belongs to.';
comment on column risk.adjustments.account_id is 'Account that is credited (positive) or debited.';
comment on column risk.adjustments.offset_account_id is 'Account that is booked the opposite amount, if any.';
comment on column risk.adjustments.category is 'The vendor''s category.';
comment on column risk.adjustments.amount_usd is
'US dollars, positive = credit to account_id; 0 withdraws what was booked before.';
comment on column risk.adjustments.comment is 'The vendor''s comment.';
comment on column risk.adjustments.recorded_at is 'When the row was recorded (committed).';
