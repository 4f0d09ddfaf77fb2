create table risk.deliveries (
    delivery_id bigint generated always as identity primary key,
    load_id bigint not null references risk.loads (load_id),
    file_name text not null,
    account_id text not null,
    session_date date not null references risk.sessions (session_date),
    content_sha256 text not null,
    published_at timestamptz,
    recorded_at timestamptz not null default risk.load_instant(),
    row_count bigint not null,
    loaded_count bigint not null,
    rejected_count bigint not null,
    duplicate_count bigint not null,
    lost_count bigint not null default 0,
    stated_count bigint,
    note text,
    check (lost_count <= rejected_count),
    check (row_count = loaded_count + rejected_count + duplicate_count)
);

create index deliveries_account_session on risk.deliveries (account_id, session_date, recorded_at);

comment on table risk.deliveries is
'What a source delivered for one account and session; a newer delivery replaces the older one as a whole, see '
'current_deliveries. Grain: one row per delivery. Append only.';
comment on column risk.deliveries.delivery_id is 'Key of the delivery.';
comment on column risk.deliveries.load_id is 'Load that recorded the row.';
comment on column risk.deliveries.file_name is 'File the row comes from.';
comment on column risk.deliveries.account_id is 'Account as the source names it.';
comment on column risk.deliveries.session_date is 'Session the row belongs to.';
comment on column risk.deliveries.content_sha256 is
'SHA-256 of the delivery''s rows, independent of the file; their order counts only for rows of one instant without '
'ids.';
comment on column risk.deliveries.published_at is 'When the source published it; null where the source does not say.';
comment on column risk.deliveries.recorded_at is 'When the row was recorded (committed).';
comment on column risk.deliveries.row_count is 'Rows delivered; the sum of the three counts below.';
comment on column risk.deliveries.loaded_count is 'Rows that became fills.';
comment on column risk.deliveries.rejected_count is 'Rows that are invalid, see fill_rejects.';
comment on column risk.deliveries.duplicate_count is 'Rows that repeat another row of the delivery.';
comment on column risk.deliveries.lost_count is
'Rejected rows that may be executions; above 0 the account-session is incomplete.';
comment on column risk.deliveries.stated_count is
'Rows that the manifest states, where the delivery has fewer or more: the account-session is incomplete. Null = as '
'many, or not stated.';
comment on column risk.deliveries.note is
'What somebody should know of the delivery, such as rows that repeat others, as sentences; null = nothing.';
