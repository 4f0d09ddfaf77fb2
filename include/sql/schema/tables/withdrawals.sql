create table risk.withdrawals (
    withdrawal_id bigint generated always as identity primary key,
    account_id text not null,
    session_date date not null references risk.sessions (session_date),
    through_delivery_id bigint not null references risk.deliveries (delivery_id),
    is_undone boolean not null,
    author text not null,
    host text not null,
    reason text not null check (reason <> ''),
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.withdrawals is
'Decisions of a person that what was delivered for an account-session does not count, or counts again; the newest '
'one of an account-session holds, see withdrawn_deliveries. Grain: one row per decision. Append only.';
comment on column risk.withdrawals.withdrawal_id is 'Key of the decision, ascending in the order of recording.';
comment on column risk.withdrawals.account_id is 'Account as the source names it.';
comment on column risk.withdrawals.session_date is 'Session of the deliveries.';
comment on column risk.withdrawals.through_delivery_id is
'Newest delivery of the account-session then: it and all before it are meant, later ones are not.';
comment on column risk.withdrawals.is_undone is 'Whether an earlier withdrawal is taken back.';
comment on column risk.withdrawals.author is 'User of the operating system who ran riskctl withdraw.';
comment on column risk.withdrawals.host is 'Machine on which it ran.';
comment on column risk.withdrawals.reason is 'Why, in the author''s words.';
comment on column risk.withdrawals.recorded_at is 'When the row was recorded (committed).';
