create table risk.superseded_results (
    result_id bigint generated always as identity primary key,
    run_id bigint not null references risk.runs (run_id),
    as_of timestamptz not null,
    account_id text not null,
    session_date date not null references risk.sessions (session_date),
    input_fingerprint bigint not null,
    total_pnl_usd numeric,
    recorded_at timestamptz not null default clock_timestamp()
);

create index superseded_results_as_of on risk.superseded_results (as_of);

comment on table risk.superseded_results is
'Results that were in the books until their account-session was delivered again, corrected or withdrawn, whether or '
'not a report had named them. Grain: one row per account-session and time it was computed again. Append only.';
comment on column risk.superseded_results.result_id is 'Key of the row.';
comment on column risk.superseded_results.run_id is 'Run that computed the account-session again.';
comment on column risk.superseded_results.as_of is 'What the new books know; the old ones knew less.';
comment on column risk.superseded_results.account_id is 'Account, by its name then.';
comment on column risk.superseded_results.session_date is 'Session the row belongs to.';
comment on column risk.superseded_results.input_fingerprint is
'What the old result was computed from, as in daily_pnl.';
comment on column risk.superseded_results.total_pnl_usd is
'Total P&L in the books before, US dollars, gains positive; null = incomplete.';
comment on column risk.superseded_results.recorded_at is 'When the row was recorded (committed).';
