create table risk.excerpt_deliveries (
    run_id bigint not null references risk.runs (run_id),
    group_name text not null,
    recipient text not null,
    message_id text not null unique,
    attempt_count integer not null default 0,
    last_error text,
    answer text,
    sent_at timestamptz,
    primary key (run_id, group_name, recipient)
);

comment on table risk.excerpt_deliveries is
'Mails of the excerpt of a report for a group of the policy, recorded like those of the report. They put no limit in '
'force. Grain: one row per run, group and recipient.';
comment on column risk.excerpt_deliveries.run_id is 'Run the row belongs to.';
comment on column risk.excerpt_deliveries.group_name is 'Group, as the policy writes it.';
comment on column risk.excerpt_deliveries.recipient is 'Email address.';
comment on column risk.excerpt_deliveries.message_id is 'Message-ID of the mail, the same for every attempt.';
comment on column risk.excerpt_deliveries.attempt_count is 'Attempts so far.';
comment on column risk.excerpt_deliveries.last_error is 'Error of the last failed attempt.';
comment on column risk.excerpt_deliveries.sent_at is 'When the server accepted it; null = not yet.';
comment on column risk.excerpt_deliveries.answer is 'Answer with which the server accepted it; null = not yet.';
