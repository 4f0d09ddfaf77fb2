create table risk.report_deliveries (
    run_id bigint not null references risk.runs (run_id),
    recipient text not null,
    message_id text not null unique,
    attempt_count integer not null default 0,
    last_error text,
    answer text,
    sent_at timestamptz,
    primary key (run_id, recipient)
);

comment on table risk.report_deliveries is
'Mails of a report: stored before the first attempt, marked as sent once the mail server accepted it. Grain: '
'one row per run and recipient.';
comment on column risk.report_deliveries.run_id is 'Run the row belongs to.';
comment on column risk.report_deliveries.recipient is 'Email address.';
comment on column risk.report_deliveries.message_id is 'Message-ID of the mail, the same for every attempt.';
comment on column risk.report_deliveries.attempt_count is 'Attempts so far.';
comment on column risk.report_deliveries.last_error is 'Error of the last failed attempt.';
comment on column risk.report_deliveries.sent_at is 'When the server accepted it; null = not yet.';
comment on column risk.report_deliveries.answer is 'Answer with which the server accepted it; null = not yet.';
