create table risk.publication_deliveries (
    publication_id bigint not null references risk.publications (publication_id),
    kind text not null check (kind in ('reminder', 'limits')),
    recipient text not null,
    message_id text not null unique,
    attempt_count integer not null default 0,
    last_error text,
    answer text,
    sent_at timestamptz,
    primary key (publication_id, kind, recipient)
);

comment on table risk.publication_deliveries is
'Mails about a publication, recorded like those of the report: the reminder to the stand-in, and what is in force. '
'Grain: one row per publication, kind and recipient.';
comment on column risk.publication_deliveries.publication_id is 'Publication the row belongs to.';
comment on column risk.publication_deliveries.kind is
'reminder = to the stand-in, that limits wait for an answer; limits = the mail Limits in force.';
comment on column risk.publication_deliveries.recipient is 'Email address.';
comment on column risk.publication_deliveries.message_id is
'Message-ID of the newest attempt, the same as long as its text is.';
comment on column risk.publication_deliveries.attempt_count is 'Attempts so far.';
comment on column risk.publication_deliveries.last_error is 'Error of the last failed attempt.';
comment on column risk.publication_deliveries.answer is
'Answer with which the server accepted it; null = not yet.';
comment on column risk.publication_deliveries.sent_at is 'When the server accepted it; null = not yet.';
