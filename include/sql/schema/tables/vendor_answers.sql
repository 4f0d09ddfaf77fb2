create table risk.vendor_answers (
    load_id bigint not null references risk.loads (load_id),
    session_date date not null references risk.sessions (session_date),
    asked_at timestamptz not null,
    page_count integer not null,
    row_count bigint not null,
    finding text,
    primary key (load_id, session_date)
);

create index vendor_answers_session on risk.vendor_answers (session_date, asked_at);

comment on table risk.vendor_answers is
'Responses of the vendor''s API for each session a load requested, complete or not. Grain: one row per load and '
'session. Append only.';
comment on column risk.vendor_answers.load_id is 'Load that recorded the row.';
comment on column risk.vendor_answers.session_date is 'Session the row belongs to.';
comment on column risk.vendor_answers.asked_at is 'When the session was requested.';
comment on column risk.vendor_answers.page_count is 'Pages received.';
comment on column risk.vendor_answers.row_count is 'Rows received.';
comment on column risk.vendor_answers.finding is
'Why the response is incomplete (nothing of it is loaded); null = complete.';
