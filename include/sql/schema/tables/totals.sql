create table risk.totals (
    total_id bigint generated always as identity primary key,
    load_id bigint not null references risk.loads (load_id),
    file_name text not null,
    line_number bigint not null,
    session_date date not null references risk.sessions (session_date),
    account_id text not null,
    gross_pnl_usd numeric(18, 8) not null,
    net_pnl_usd numeric(18, 8) not null,
    published_at timestamptz,
    recorded_at timestamptz not null default risk.load_instant()
);

comment on table risk.totals is
'P&L of an account-session by the source''s own books: the other side of the reconciliation, see '
'current_totals. Grain: one row per statement. Append only.';
comment on column risk.totals.total_id is 'Key of the statement, ascending in the order of recording.';
comment on column risk.totals.load_id is 'Load that recorded the row.';
comment on column risk.totals.file_name is 'File the row comes from.';
comment on column risk.totals.line_number is 'Line of the row in its file.';
comment on column risk.totals.session_date is 'Session the row belongs to.';
comment on column risk.totals.account_id is 'Account as the source names it.';
comment on column risk.totals.gross_pnl_usd is 'Gross P&L in US dollars, gains positive.';
comment on column risk.totals.net_pnl_usd is 'Gross P&L less trade fees, US dollars.';
comment on column risk.totals.published_at is
'When the source published the version of the account-session that a manifest speaks of; null for a file of '
'totals.';
comment on column risk.totals.recorded_at is 'When the row was recorded (committed).';
