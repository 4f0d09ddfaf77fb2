create table risk.limit_breaches (
    breach_id bigint generated always as identity primary key,
    run_id bigint not null references risk.runs (run_id),
    account_id text not null,
    session_date date not null,
    is_breach boolean not null,
    limit_usd numeric(18, 2) not null,
    largest_loss_usd numeric not null,
    final_usd numeric not null,
    breach_reasons text[] not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check (is_breach = (breach_reasons <> '{}'))
);

create index limit_breaches_sessions on risk.limit_breaches (session_date, account_id);

comment on table risk.limit_breaches is
'Breaches of limits as runs found them, of every session in the books, and breaches that a restatement has removed. '
'The newest row of an account-session counts. A breach is an open item once a report of its session was mailed, '
'see limit_breach_entries. Grain: one row per account-session and change. Append only.';
comment on column risk.limit_breaches.breach_id is 'Key of the row.';
comment on column risk.limit_breaches.run_id is 'Run that found it.';
comment on column risk.limit_breaches.account_id is 'Account.';
comment on column risk.limit_breaches.session_date is 'Session of the breach.';
comment on column risk.limit_breaches.is_breach is
'Whether the limit was broken; false = restated, the session is no longer a breach.';
comment on column risk.limit_breaches.limit_usd is 'Limit in force, US dollars; 0 = no trading.';
comment on column risk.limit_breaches.largest_loss_usd is 'Largest loss of the running P&L, US dollars.';
comment on column risk.limit_breaches.final_usd is 'P&L at the close, US dollars, gains positive.';
comment on column risk.limit_breaches.breach_reasons is 'Why it is a breach; empty = it is none any more.';
comment on column risk.limit_breaches.recorded_at is 'When the row was recorded (committed).';
